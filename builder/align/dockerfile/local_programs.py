"""Programs that fetch nothing themselves, so that a command of one needs no judgement. Pure.

A program that is neither here nor read by another module of this package is shown as not understood.
"""

from __future__ import annotations

import re

__all__ = ["is_local_program"]

_BUILTINS = """
. : [ [[ alias bg bind break builtin caller cd command compgen complete continue declare dirs disown echo
enable exit export false fc fg getopts hash history jobs let local logout mapfile popd printf pushd pwd
read readarray readonly return select set shift shopt suspend test times trap true type typeset ulimit
umask unalias unset wait
"""
_FILES = """
ar arch awk b2sum base32 base64 basename bc bsdtar bunzip2 bzcat bzip2 cat chattr chcon chgrp chmod chown
cksum clear cmp col column comm cp cpio csplit cut date dd df diff dir dirname dos2unix du egrep envsubst
expand expr factor fgrep file find fold fmt free gawk getconf getfacl getfattr grep groups gunzip gzip
head hexdump hostid hostname iconv id install ionice jq join kill ldconfig ldd less link ln locale
localedef logname ls lsattr lsblk lscpu lsof lspci lz4 mawk md5sum mkdir mkfifo mknod mktemp more mount
mountpoint mv namei nice nl nm nohup nproc numfmt objcopy objdump od paste patch patchelf pathchk pgrep
pidof pigz pkg-config pkgconf pkill pr printenv prename ps ptx readelf readlink realpath rename renice rev
rm rmdir sed seq setfacl sha1sum sha224sum sha256sum sha384sum sha512sum shasum shred shuf size sleep sort
split stat strace strings strip stty sum sync tac tail tar tee time timeout top touch tput tr tree
truncate tsort tty umount uname unexpand uniq unix2dos unlink unlzma unxz unzip unzstd update-alternatives
uptime users vi vim wc which who whoami xargs xxd xz xzcat yes yq zcat zip zipinfo zstd zstdcat
"""
_SYSTEM = """
add-shell addgroup adduser apt-cache apt-config apt-mark apt-listchanges apt-sortpkgs authselect chfn
chpasswd chsh crontab dbus-uuidgen debconf-communicate debconf-set-selections delgroup deluser
dpkg-architecture dpkg-deb dpkg-divert dpkg-query dpkg-reconfigure dpkg-statoverride depmod e2fsck
fc-cache getent git-lfs glib-compile-schemas gpasswd groupadd groupdel groupmod locale-gen localectl login
mandb mkhomedir_helper newusers nvidia-smi pam-auth-update passwd rpm2cpio rpmkeys service setcap setsid
ssh-keygen start-stop-daemon su-exec sysctl systemctl tzselect update-ca-certificates update-ca-trust
update-crypto-policies update-locale update-initramfs update-mime-database update-rc.d useradd userdel
usermod visudo alternatives microdnf-clean chkconfig ibv_devinfo fi_info ucx_info cargo-fmt nvcc gcc g++
cc c++ clang clang++ ld gold lld ranlib as make-ssl-cert openssl gpg gpg2 gpgv gpgconf gpg-agent
gpg-connect-agent dpkg rpm
"""
_LOCAL = frozenset(f"{_BUILTINS} {_FILES} {_SYSTEM}".split())
_SYSTEM_FOLDER = re.compile(r"(/usr(/local)?)?/s?bin/[^/]+|[^/]+")
"""A program without a folder, or in one of the system: ./install is not `install`."""
_SOURCED = re.compile(r".*/(activate|conda\.sh|cargo/env|os-release|\.bashrc|profile|\.profile|env)")


def is_local_program(words: tuple[str, ...]) -> bool:
    """Whether a command's program is known to fetch nothing."""
    program = words[0].rpartition("/")[2]
    if program in (".", "source"):
        return len(words) > 1 and bool(_SOURCED.fullmatch(words[1]))
    if program in ("gpg", "gpg2"):
        return not any(
            word.startswith(("--recv", "--refresh-keys", "--locate", "--auto-key", "--search"))
            for word in words
        )
    return program in _LOCAL and bool(_SYSTEM_FOLDER.fullmatch(words[0]))
