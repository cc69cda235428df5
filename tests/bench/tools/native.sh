# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The tree itself on the local file system: what a mount is compared with.
tool_kind() { echo reference; }
tool_mount() { exec sleep infinity; }
tool_root() { echo "$SRC"; }
