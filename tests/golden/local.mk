# SPDX-License-Identifier: GPL-2.0-or-later
#
# A shell test:  dist_check_SCRIPTS += tests/golden/NAME.sh  (it is run too)

dist_check_SCRIPTS += tests/golden/golden.sh
dist_check_SCRIPTS += tests/golden/databases.sh
check_PROGRAMS += tests/golden/points tests/golden/databases
tests_golden_databases_SOURCES = tests/golden/databases.c tests/unit/pages_model.c tests/unit/pages_model.h
EXTRA_DIST += tests/golden/deltas.py tests/golden/database-1 tests/golden/database-1.txt tests/golden/database-2 tests/golden/database-2.txt
check_PROGRAMS += tests/golden/accepts tests/golden/slots tests/golden/list
tests_golden_list_SOURCES = tests/golden/list.c $(golden_image)
golden_image = tests/golden/image.c tests/golden/image.h
check_PROGRAMS += tests/golden/test_flip
busy_tests += tests/golden/test_flip
tests_golden_test_flip_SOURCES = tests/golden/test_flip.c tests/golden/damage.c tests/golden/damage.h tests/golden/index_truth.c tests/golden/index_truth.h $(golden_image)
EXTRA_DIST += tests/golden/agree.py
EXTRA_DIST += tests/golden/decode.py
EXTRA_DIST += tests/golden/objects.py
EXTRA_DIST += tests/golden/pages.py
EXTRA_DIST += tests/golden/states.py
EXTRA_DIST += tests/golden/vectors.py
EXTRA_DIST += tests/golden/vectors.txt
EXTRA_DIST += tests/golden/make.sh
EXTRA_DIST += tests/golden/tree.sh
EXTRA_DIST += tests/golden/password
EXTRA_DIST += tests/golden/repo-1 tests/golden/repo-1.txt tests/golden/repo-1.places
EXTRA_DIST += tests/golden/key
