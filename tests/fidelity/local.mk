# SPDX-License-Identifier: GPL-2.0-or-later
#
# A shell test:  dist_check_SCRIPTS += tests/fidelity/NAME.sh  (it is run too)

EXTRA_DIST += tests/fidelity/listing.py tests/fidelity/same.sh \
	tests/fidelity/tree.sh tests/fidelity/versions.py

dist_check_SCRIPTS += tests/fidelity/changes.sh
dist_check_SCRIPTS += tests/fidelity/errors.sh
dist_check_SCRIPTS += tests/fidelity/gathered.sh
dist_check_SCRIPTS += tests/fidelity/huge.sh
dist_check_SCRIPTS += tests/fidelity/programs.sh
dist_check_SCRIPTS += tests/fidelity/whole.sh
dist_check_SCRIPTS += tests/fidelity/two_at_a_time.sh
dist_check_SCRIPTS += tests/fidelity/xattrs.sh
dist_check_SCRIPTS += tests/fidelity/system.sh
dist_check_SCRIPTS += tests/fidelity/user.sh
dist_check_SCRIPTS += tests/fidelity/versions.sh
dist_check_SCRIPTS += tests/fidelity/versions_odd.sh
