# SPDX-License-Identifier: GPL-2.0-or-later

libyorecodec_a_SOURCES += \
	repo/crypto/id.h \
	repo/crypto/keyring.h \
	repo/crypto/seal.h \
	repo/crypto/slot.h
