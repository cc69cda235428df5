# SPDX-License-Identifier: GPL-2.0-or-later
#
# A shell test:  dist_check_SCRIPTS += tests/golden/NAME.sh  (it is run too)
