# SPDX-License-Identifier: GPL-2.0-or-later

tree_tests = \
	tests/tree/doors.sh \
	tests/tree/files.sh \
	tests/tree/headers.sh \
	tests/tree/layers.sh \
	tests/tree/map.sh \
	tests/tree/names.sh

dist_check_SCRIPTS += $(tree_tests)
EXTRA_DIST += tests/tree/names.exceptions tests/tree/tree.sh
