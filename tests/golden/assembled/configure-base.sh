export DEBCONF_NONINTERACTIVE_SEEN=true DEBIAN_FRONTEND=noninteractive HOME=/root LC_ALL=C
umask 022
for script in /var/lib/dpkg/info/*.preinst; do
  name="$(basename "$script" .preinst)"
  arch="$(dpkg-query --show --showformat='${Architecture}' "$name")"
  mkdir /var/lib/dpkg/tmp.ci
  dpkg-query --status "$name" > /var/lib/dpkg/tmp.ci/control
  cp "$script" /var/lib/dpkg/tmp.ci/preinst
  [ ! -e "${script%.preinst}.templates" ] || \
    cp "${script%.preinst}.templates" /var/lib/dpkg/tmp.ci/templates
  env DPKG_ADMINDIR=/var/lib/dpkg DPKG_ROOT= \
    DPKG_MAINTSCRIPT_ARCH="$arch" DPKG_MAINTSCRIPT_NAME=preinst \
    DPKG_MAINTSCRIPT_PACKAGE="${name%:*}" DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT=1 \
    /var/lib/dpkg/tmp.ci/preinst install
  rm -r /var/lib/dpkg/tmp.ci
done
dpkg --configure --pending
found="$(dpkg --audit && dpkg --verify)" || found="${found:-dpkg cannot check itself}"
[ -z "$found" ] || { printf '%s\n' "$found" >&2; exit 1; }
