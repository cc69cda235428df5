# SPDX-License-Identifier: GPL-2.0-or-later

libyore_a_SOURCES += \
	repo/store/beneath.c \
	repo/store/beneath.h \
	repo/store/direct.c \
	repo/store/direct.h \
	repo/store/directory.c \
	repo/store/directory.h \
	repo/store/fault.c \
	repo/store/fault.h \
	repo/store/fault_plan.h \
	repo/store/handles.c \
	repo/store/handles.h \
	repo/store/http.c \
	repo/store/http.h \
	repo/store/http_curl.c \
	repo/store/http_curl.h \
	repo/store/http_head.c \
	repo/store/http_head.h \
	repo/store/http_loop.c \
	repo/store/http_origin.c \
	repo/store/http_retry.c \
	repo/store/http_retry.h \
	repo/store/http_transfer.c \
	repo/store/http_transfer.h \
	repo/store/listing.c \
	repo/store/listing.h \
	repo/store/location.c \
	repo/store/location.h \
	repo/store/objects.c \
	repo/store/objects.h \
	repo/store/s3.c \
	repo/store/s3.h \
	repo/store/s3_client.c \
	repo/store/s3_client.h \
	repo/store/s3_command.c \
	repo/store/s3_command.h \
	repo/store/s3_config.c \
	repo/store/s3_config.h \
	repo/store/s3_credentials.c \
	repo/store/s3_credentials.h \
	repo/store/s3_ini.c \
	repo/store/s3_ini.h \
	repo/store/s3_judge.c \
	repo/store/s3_judge.h \
	repo/store/s3_object.c \
	repo/store/s3_object.h \
	repo/store/s3_time.c \
	repo/store/s3_time.h \
	repo/store/s3_xml.c \
	repo/store/s3_xml.h \
	repo/store/store.c \
	repo/store/store.h \
	repo/store/web.c \
	repo/store/web_head.c \
	repo/store/web_head.h

# What only writers use.
libyorewrite_a_SOURCES += \
	repo/store/sink.c \
	repo/store/sink_directory.c \
	repo/store/sink_fault.c \
	repo/store/sink_s3.c \
	repo/store/s3_confirm.c \
	repo/store/s3_confirm.h \
	repo/store/s3_upload.c \
	repo/store/s3_upload.h
