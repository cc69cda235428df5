# SPDX-License-Identifier: GPL-2.0-or-later
#
# A shell test:  dist_check_SCRIPTS += tests/upkeep/NAME.sh  (it is run too)

dist_check_SCRIPTS += tests/upkeep/key.sh
dist_check_SCRIPTS += tests/upkeep/key_paper.sh
dist_check_SCRIPTS += tests/upkeep/key_together.sh
