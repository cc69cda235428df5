#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The frozen known answers are what FORMAT's text gives in another program.
for tool in python3 openssl; do
	command -v "$tool" >/dev/null || {
		echo "$tool not found: apt-get install $tool"
		exit 77
	}
done
here=${top_srcdir:-.}/tests/unit
diff "$here/crypto_vectors.h" <(python3 "$here/crypto_vectors.py")
diff "$here/cut_vectors.h" <(python3 "$here/cut_vectors.py")
