# SPDX-License-Identifier: GPL-2.0-or-later
#
# A shell test:  dist_check_SCRIPTS += tests/counts/NAME.sh  (it is run too)

EXTRA_DIST += tests/counts/counts.sh

dist_check_SCRIPTS += tests/counts/mount.sh
dist_check_SCRIPTS += tests/counts/page_cache.sh
dist_check_SCRIPTS += tests/counts/random.sh
dist_check_SCRIPTS += tests/counts/read.sh
dist_check_SCRIPTS += tests/counts/scan.sh
dist_check_SCRIPTS += tests/counts/shared.sh
dist_check_SCRIPTS += tests/counts/versions.sh
