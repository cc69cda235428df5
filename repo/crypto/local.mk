# SPDX-License-Identifier: GPL-2.0-or-later

libyorecodec_a_SOURCES += \
	repo/crypto/id.c \
	repo/crypto/id.h \
	repo/crypto/kdf.c \
	repo/crypto/kdf.h \
	repo/crypto/keyring.c \
	repo/crypto/keyring.h \
	repo/crypto/openssl.c \
	repo/crypto/openssl.h \
	repo/crypto/seal.c \
	repo/crypto/seal.h \
	repo/crypto/sign.c \
	repo/crypto/sign.h \
	repo/crypto/slot.c \
	repo/crypto/slot.h
