# SPDX-License-Identifier: GPL-2.0-or-later
EXTRA_DIST += tests/bench/README tests/bench/run.sh tests/bench/gen.py \
	tests/bench/bench.py tests/bench/common.py tests/bench/corpus.py \
	tests/bench/tool.py tests/bench/phases.py tests/bench/machine.py \
	tests/bench/figures.py tests/bench/goals.py tests/bench/report.py \
	tests/bench/far.py tests/bench/far_phases.py tests/bench/delay_pipe.py \
	tests/bench/pages.sh tests/bench/prune.sh tests/bench/application.py \
	tests/bench/far_keep.py tests/bench/far_points.py tests/bench/forget.py \
	tests/bench/tools/litestream.sh tests/bench/tools/litestream_vfs.sh \
	tests/bench/tools/rclone.sh tests/bench/tools/squashfuse_rclone.sh \
	tests/bench/tools/native.sh tests/bench/tools/yore.sh \
	tests/bench/tools/squashfuse.sh tests/bench/tools/restic.sh \
	tests/bench/tools/borg.sh tests/bench/tools/casync.sh

EXTRA_DIST += tests/bench/ltx.py
EXTRA_DIST += tests/bench/impact.py

# See tests/bench/README; by hand, phase by phase: tests/bench/run.sh
# As they are installed.
bench_root = $(abs_top_builddir)/tests/bench/installed
bench:
	$(MAKE) $(AM_MAKEFLAGS) install-strip DESTDIR='$(bench_root)'
	YORE_BIN='$(bench_root)$(bindir)' bash '$(top_srcdir)/tests/bench/run.sh'
clean-local:
	rm -rf '$(bench_root)'
.PHONY: bench

# The disk cache alone: make tests/bench/cache_speed && tests/bench/cache_speed DIR
EXTRA_PROGRAMS += tests/bench/cache_speed
CLEANFILES += tests/bench/cache_speed$(EXEEXT)

# Many packs, for prune: see the file.
EXTRA_PROGRAMS += tests/bench/prune_many
CLEANFILES += tests/bench/prune_many$(EXEEXT)

# A database with a long past: see the file.
check_PROGRAMS += tests/bench/deltas

# What replication costs the application: see impact.py.
EXTRA_PROGRAMS += tests/bench/commits
CLEANFILES += tests/bench/commits$(EXEEXT)
