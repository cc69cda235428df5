dnl SPDX-License-Identifier: GPL-2.0-or-later

dnl YORE_LIB(VARIABLE, PKG-CONFIG-MODULE, NAME, DEBIAN-PACKAGE)
dnl Find a library or stop with one line that says what to install.
AC_DEFUN([YORE_LIB], [
	PKG_CHECK_MODULES([$1], [$2], [],
		[AC_MSG_ERROR([$3 not found ($2): apt-get install $4])])
])

dnl YORE_LOADED(VARIABLE, FUNCTION)
dnl A library that is loaded when it is needed: VARIABLE_LIBRARY becomes the name
dnl of its file, as it would stand in a program linked with VARIABLE_LIBS.
AC_DEFUN([YORE_LOADED], [
	AC_MSG_CHECKING([for the file that has $2])
	saved_LIBS=$LIBS
	LIBS="$$1_LIBS $LIBS"
	AC_LINK_IFELSE([AC_LANG_CALL([], [$2])], [
		yore_file=$(readelf -d conftest$EXEEXT |
			sed -n 's/.*NEEDED.*\@<:@\(.*\)\@:>@.*/\1/p' |
			grep -v '^libc\.' | head -n 1)
	])
	LIBS=$saved_LIBS
	AS_IF([test -z "$yore_file"], [
		AC_MSG_RESULT([none])
		AC_MSG_ERROR([$2 is in no shared library])
	])
	AC_MSG_RESULT([$yore_file])
	AC_SUBST([$1_LIBRARY], [$yore_file])
])

dnl Warnings are errors: for CI, not for users with newer compilers.
AC_DEFUN([YORE_OPTION_WERROR], [
	AC_ARG_ENABLE([werror],
		[AS_HELP_STRING([--enable-werror], [treat warnings as errors])],
		[], [enable_werror=no])
	AS_IF([test "x$enable_werror" = xyes], [YORE_WERROR=-Werror])
	AC_SUBST([YORE_WERROR])
])

dnl --enable-sanitize=address,undefined or --enable-sanitize=thread
AC_DEFUN([YORE_OPTION_SANITIZE], [
	AC_ARG_ENABLE([sanitize],
		[AS_HELP_STRING([--enable-sanitize=LIST],
			[build with sanitizers: address,undefined or thread])],
		[], [enable_sanitize=no])
	AS_CASE([$enable_sanitize],
		[no], [],
		[yes], [enable_sanitize=address,undefined])
	AS_IF([test "x$enable_sanitize" != xno], [
		YORE_SANITIZE="-fsanitize=$enable_sanitize"
		YORE_SANITIZE="$YORE_SANITIZE -fno-sanitize-recover=all"
		YORE_SANITIZE="$YORE_SANITIZE -fno-omit-frame-pointer"
	], [
		# a seventh of a program, for exceptions, which C has not
		YORE_UNWIND=-fno-asynchronous-unwind-tables
	])
	AC_SUBST([YORE_UNWIND])
	AC_SUBST([YORE_SANITIZE])
	AM_CONDITIONAL([SANITIZE], [test "x$enable_sanitize" != xno])
])

dnl Fault injection by environment, for tests only.
AC_DEFUN([YORE_OPTION_FAULTS], [
	AC_ARG_ENABLE([faults],
		[AS_HELP_STRING([--enable-faults],
			[let tests inject faults (YORE_FAULTS)])],
		[], [enable_faults=no])
	AS_IF([test "x$enable_faults" = xyes],
		[YORE_FAULTS=-DYORE_FAULTS=1])
	AC_SUBST([YORE_FAULTS])
	AM_CONDITIONAL([FAULTS], [test "x$enable_faults" = xyes])
])

dnl libFuzzer; without it the targets replay their corpora.
AC_DEFUN([YORE_OPTION_FUZZ], [
	AC_ARG_ENABLE([fuzz],
		[AS_HELP_STRING([--enable-fuzz],
			[build tests/fuzz with libFuzzer (needs CC=clang)])],
		[], [enable_fuzz=no])
	AS_IF([test "x$enable_fuzz" = xyes], [
		YORE_SANITIZE="$YORE_SANITIZE -fsanitize=fuzzer-no-link"
		AC_MSG_CHECKING([whether $CC has libFuzzer])
		saved_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS $YORE_SANITIZE"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM],
			[AC_MSG_RESULT([yes])],
			[AC_MSG_RESULT([no])
			AC_MSG_ERROR([--enable-fuzz needs clang: apt-get install clang, then CC=clang])])
		CFLAGS=$saved_CFLAGS
		# by path: its main() is taken where there is no other
		YORE_FUZZER=$($CC -print-file-name=libclang_rt.fuzzer-$(uname -m).a)
		YORE_FUZZER="$YORE_FUZZER -lstdc++ -lm"
	])
	AC_SUBST([YORE_FUZZER])
	AM_CONDITIONAL([FUZZ], [test "x$enable_fuzz" = xyes])
])
