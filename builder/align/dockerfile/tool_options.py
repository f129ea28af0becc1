"""Options of foreign tools, as each tool lists them itself. Pure.

Made by scripts/maintenance/record-tool-options; do not edit. Recorded from:
- pip 26.3
- uv 0.13.9
- git 2.39.5
- curl 7.88.1
- wget 1.21.3
- dnf 4.14.0
- cargo 1.95.0
"""

from __future__ import annotations

__all__ = ["PLAIN_OPTIONS", "VALUE_OPTIONS"]

VALUE_OPTIONS: dict[str, str] = {
    "cargo install": """
--bin --branch --color --config --example --features --git --index --jobs --message-format
--path --profile --registry --rev --root --tag --target --target-dir --version -F -Z -j
""",
    "curl": """
--abstract-unix-socket --alt-svc --aws-sigv4 --cacert --capath --cert --cert-type --ciphers
--config --connect-timeout --connect-to --continue-at --cookie --cookie-jar --create-file-mode
--crlfile --curves --data --data-ascii --data-binary --data-raw --data-urlencode --delegation
--dns-interface --dns-ipv4-addr --dns-ipv6-addr --dns-servers --doh-url --dump-header --egd-file
--engine --etag-compare --etag-save --expect100-timeout --form --form-string --ftp-account
--ftp-alternative-to-user --ftp-method --ftp-port --ftp-ssl-ccc-mode --happy-eyeballs-timeout-ms
--header --help --hostpubmd5 --hostpubsha256 --hsts --interface --json --keepalive-time --key
--key-type --krb --libcurl --limit-rate --local-port --login-options --mail-auth --mail-from
--mail-rcpt --max-filesize --max-redirs --max-time --netrc-file --noproxy --oauth2-bearer
--output --output-dir --parallel-max --pass --pinnedpubkey --preproxy --proto --proto-default
--proto-redir --proxy --proxy-cacert --proxy-capath --proxy-cert --proxy-cert-type
--proxy-ciphers --proxy-crlfile --proxy-header --proxy-key --proxy-key-type --proxy-pass
--proxy-pinnedpubkey --proxy-service-name --proxy-tls13-ciphers --proxy-tlsauthtype
--proxy-tlspassword --proxy-tlsuser --proxy-user --proxy1 --pubkey --quote --random-file --range
--rate --referer --request --request-target --resolve --retry --retry-delay --retry-max-time
--sasl-authzid --service-name --socks4 --socks4a --socks5 --socks5-gssapi-service
--socks5-hostname --speed-limit --speed-time --stderr --telnet-option --tftp-blksize --time-cond
--tls-max --tls13-ciphers --tlsauthtype --tlspassword --tlsuser --trace --trace-ascii
--unix-socket --upload-file --url --url-query --user --user-agent --write-out -A -C -D -E -F -H
-K -P -Q -T -U -X -Y -b -c -d -e -h -m -o -r -t -u -w -x -y -z
""",
    "dnf install": """
--advisories --advisory --bz --bzs --color --comment --config --cve --cves --debuglevel
--destdir --disableexcludepkgs --disableexcludes --disableplugin --disablerepo --downloaddir
--enableplugin --enablerepo --errorlevel --exclude --excludepkgs --forcearch --installroot
--randomwait --releasever --repo --repofrompath --repoid --rpmverbosity --setopt -R -c -d -e -x
""",
    "git checkout": """
--conflict --orphan --pathspec-from-file -B -b
""",
    "git clone": """
--branch --bundle-uri --config --depth --filter --jobs --origin --reference --reference-if-able
--separate-git-dir --server-option --shallow-exclude --shallow-since --template --upload-pack -b
-c -j -o -u
""",
    "git fetch": """
--deepen --depth --filter --jobs --negotiation-tip --refmap --server-option --shallow-exclude
--shallow-since --upload-pack -j -o
""",
    "git pull": """
--cleanup --deepen --depth --negotiation-tip --refmap --server-option --shallow-exclude
--shallow-since --strategy --strategy-option --upload-pack -X -o -s
""",
    "git reset": """
--pathspec-from-file
""",
    "git switch": """
--conflict --create --force-create --orphan -C -c
""",
    "pip download": """
--abi --all-releases --build-constraint --cache-dir --cert --client-cert --constraint
--default-timeout --dest --destination-dir --destination-directory --exists-action
--extra-index-url --find-links --group --implementation --index-url --keyring-provider
--local-log --log --log-file --no-binary --only-binary --only-final --platform --progress-bar
--proxy --pypi-url --python --python-version --refresh-package --requirement
--requirements-from-script --resume-retries --retries --source --source-dir --source-directory
--src --timeout --trusted-host --uploaded-prior-to --use-deprecated --use-feature -c -d -f -i -r
""",
    "pip install": """
--abi --all-releases --build-constraint --cache-dir --cert --client-cert --config-settings
--constraint --default-timeout --editable --exists-action --extra-index-url --find-links --group
--implementation --index-url --keyring-provider --local-log --log --log-file --no-binary
--only-binary --only-final --platform --prefix --progress-bar --proxy --pypi-url --python
--python-version --refresh-package --report --requirement --requirements-from-script
--resume-retries --retries --root --root-user-action --source --source-dir --source-directory
--src --target --timeout --trusted-host --upgrade-strategy --uploaded-prior-to --use-deprecated
--use-feature -C -c -e -f -i -r -t
""",
    "pip lock": """
--all-releases --build-constraint --cache-dir --cert --client-cert --config-settings
--constraint --default-timeout --editable --exists-action --extra-index-url --find-links --group
--index-url --keyring-provider --local-log --log --log-file --no-binary --only-binary
--only-final --output --progress-bar --proxy --pypi-url --python --refresh-package --requirement
--requirements-from-script --resume-retries --retries --source --source-dir --source-directory
--src --timeout --trusted-host --uploaded-prior-to --use-deprecated --use-feature -C -c -e -f -i
-o -r
""",
    "pip wheel": """
--all-releases --build-constraint --cache-dir --cert --client-cert --config-settings
--constraint --default-timeout --editable --exists-action --extra-index-url --find-links --group
--index-url --keyring-provider --local-log --log --log-file --no-binary --only-binary
--only-final --progress-bar --proxy --pypi-url --python --refresh-package --requirement
--requirements-from-script --resume-retries --retries --source --source-dir --source-directory
--src --timeout --trusted-host --uploaded-prior-to --use-deprecated --use-feature --wheel-dir -C
-c -e -f -i -r -w
""",
    "uv add": """
--allow-insecure-host --bounds --branch --cache-dir --color --config-file --config-setting
--config-settings --config-settings-package --constraint --constraints --default-index
--directory --exclude-newer --exclude-newer-package --extra --extra-index-url --find-links
--fork-strategy --group --index --index-strategy --index-url --keyring-provider --link-mode
--marker --no-binary-package --no-build-isolation-package --no-build-package
--no-editable-package --no-install-package --no-sources-package --only-install-package
--optional --package --prerelease --prerelease-package --preview-feature --preview-features
--project --python --python-fetch --python-preference --refresh-package --reinstall-package
--requirement --requirements --resolution --rev --script --tag --trusted-host --upgrade-group
--upgrade-package -C -P -c -f -i -m -p -r
""",
    "uv build": """
--allow-insecure-host --build-constraint --build-constraints --cache-dir --color --config-file
--config-setting --config-settings --config-settings-package --default-index --directory
--exclude-newer --exclude-newer-package --extra-index-url --find-links --fork-strategy --index
--index-strategy --index-url --keyring-provider --link-mode --no-binary-package
--no-build-isolation-package --no-build-package --no-sources-package --out-dir --package
--prerelease --prerelease-package --preview-feature --preview-features --project --python
--python-fetch --python-preference --refresh-package --resolution --trusted-host --upgrade-group
--upgrade-package -C -P -b -f -i -o -p
""",
    "uv export": """
--allow-insecure-host --batch --cache-dir --color --config-file --config-setting
--config-settings --config-settings-package --default-index --directory --exclude-newer
--exclude-newer-package --extra --extra-index-url --find-links --fork-strategy --format --group
--index --index-strategy --index-url --keyring-provider --link-mode --no-binary-package
--no-build-isolation-package --no-build-package --no-editable-package --no-emit-package
--no-extra --no-group --no-sources-package --only-emit-package --only-group --output-file
--package --prerelease --prerelease-package --preview-feature --preview-features --project
--prune --python --python-fetch --python-preference --refresh-package --resolution --script
--trusted-host --upgrade-group --upgrade-package -C -P -f -i -o -p
""",
    "uv lock": """
--allow-insecure-host --cache-dir --color --config-file --config-setting --config-settings
--config-settings-package --default-index --directory --exclude-newer --exclude-newer-package
--extra-index-url --find-links --fork-strategy --index --index-strategy --index-url
--keyring-provider --link-mode --no-binary-package --no-build-isolation-package
--no-build-package --no-sources-package --prerelease --prerelease-package --preview-feature
--preview-features --project --python --python-fetch --python-preference --refresh-package
--resolution --script --trusted-host --upgrade-group --upgrade-package -C -P -f -i -p
""",
    "uv pip compile": """
--allow-insecure-host --annotation-style --build-constraint --build-constraints --cache-dir
--cert --client-cert --color --config --config-file --config-setting --config-settings
--config-settings-package --constraint --constraints --custom-compile-command --default-index
--directory --exclude --exclude-newer --exclude-newer-package --excludes --extra
--extra-index-url --find-links --fork-strategy --format --group --index --index-strategy
--index-url --keyring-provider --link-mode --max-rounds --no-binary --no-build-isolation-package
--no-emit-package --no-sources-package --only-binary --output-file --override --overrides
--pip-args --prerelease --prerelease-package --preview-feature --preview-features --project
--python --python-fetch --python-platform --python-preference --python-version --refresh-package
--resolution --resolver --torch-backend --trusted-host --upgrade-group --upgrade-package -C -P
-b -c -f -i -o -p
""",
    "uv pip install": """
--allow-insecure-host --build-constraint --build-constraints --cache-dir --cert --color
--config-file --config-setting --config-settings --config-settings-package --constraint
--constraints --default-index --directory --editable --exclude --exclude-newer
--exclude-newer-package --excludes --extra --extra-index-url --find-links --fork-strategy
--group --index --index-strategy --index-url --keyring-provider --link-mode --no-binary
--no-build-isolation-package --no-editable-package --no-sources-package --only-binary
--output-format --override --overrides --prefix --prerelease --prerelease-package
--preview-feature --preview-features --project --python --python-fetch --python-platform
--python-preference --python-version --refresh-package --reinstall-package --requirement
--requirements --resolution --target --torch-backend --trusted-host --upgrade-group
--upgrade-package -C -P -b -c -e -f -i -p -r -t
""",
    "uv pip sync": """
--allow-insecure-host --build-constraint --build-constraints --cache-dir --cert --client-cert
--color --config --config-file --config-setting --config-settings --config-settings-package
--constraint --constraints --default-index --directory --exclude-newer --exclude-newer-package
--extra --extra-index-url --find-links --group --index --index-strategy --index-url
--keyring-provider --link-mode --no-binary --no-sources-package --only-binary --output-format
--pip-args --prefix --preview-feature --preview-features --project --python --python-executable
--python-fetch --python-platform --python-preference --python-version --refresh-package
--reinstall-package --target --torch-backend --trusted-host -C -b -c -f -i -p -t
""",
    "uv python install": """
--allow-insecure-host --cache-dir --color --config-file --directory --graalpy-mirror
--install-dir --mirror --preview-feature --preview-features --project --pyodide-mirror
--pypy-mirror --python-downloads-json-url --python-fetch --python-preference --trusted-host -i
""",
    "uv run": """
--allow-insecure-host --cache-dir --color --config-file --config-setting --config-settings
--config-settings-package --default-index --directory --env-file --exclude-newer
--exclude-newer-package --extra --extra-index-url --find-links --fork-strategy --group --index
--index-strategy --index-url --keyring-provider --link-mode --max-recursion-depth
--no-binary-package --no-build-isolation-package --no-build-package --no-editable-package
--no-extra --no-group --no-sources-package --only-group --package --prerelease
--prerelease-package --preview-feature --preview-features --project --python --python-fetch
--python-platform --python-preference --refresh-package --reinstall-package --resolution
--trusted-host --upgrade-group --upgrade-package --with --with-editable --with-requirements -C
-P -f -i -p -w
""",
    "uv sync": """
--allow-insecure-host --cache-dir --color --config-file --config-setting --config-settings
--config-settings-package --default-index --directory --exclude-newer --exclude-newer-package
--extra --extra-index-url --find-links --fork-strategy --group --index --index-strategy
--index-url --keyring-provider --link-mode --no-binary-package --no-build-isolation-package
--no-build-package --no-editable-package --no-extra --no-group --no-install-package
--no-sources-package --only-group --only-install-package --output-format --package --prerelease
--prerelease-package --preview-feature --preview-features --project --python --python-fetch
--python-platform --python-preference --refresh-package --reinstall-package --resolution
--script --trusted-host --upgrade-group --upgrade-package -C -P -f -i -p
""",
    "uv tool install": """
--allow-insecure-host --build-constraint --build-constraints --cache-dir --color --config-file
--config-setting --config-settings --config-settings-package --constraint --constraints
--default-index --directory --exclude --exclude-newer --exclude-newer-package --excludes
--extra-index-url --find-links --fork-strategy --from --index --index-strategy --index-url
--keyring-provider --link-mode --no-binary-package --no-build-isolation-package
--no-build-package --no-sources-package --override --overrides --prerelease --prerelease-package
--preview-feature --preview-features --project --python --python-fetch --python-platform
--python-preference --refresh-package --reinstall-package --resolution --torch-backend
--trusted-host --upgrade-group --upgrade-package --with --with-editable --with-executables-from
--with-requirements -C -P -b -c -f -i -p -w
""",
    "uv tool run": """
--allow-insecure-host --build-constraint --build-constraints --cache-dir --color --config-file
--config-setting --config-settings --config-settings-package --constraint --constraints
--default-index --directory --env-file --exclude-newer --exclude-newer-package --extra-index-url
--find-links --fork-strategy --from --generate-shell-completion --index --index-strategy
--index-url --keyring-provider --link-mode --no-binary-package --no-build-isolation-package
--no-build-package --no-sources-package --override --overrides --prerelease --prerelease-package
--preview-feature --preview-features --project --python --python-fetch --python-platform
--python-preference --refresh-package --reinstall-package --resolution --torch-backend
--trusted-host --upgrade-group --upgrade-package --with --with-editable --with-requirements -C
-P -b -c -f -i -p -w
""",
    "uv tool upgrade": """
--allow-insecure-host --cache-dir --color --config-file --config-setting
--config-setting-package --config-settings --default-index --directory --exclude-newer
--exclude-newer-package --extra-index-url --find-links --fork-strategy --index --index-strategy
--index-url --keyring-provider --link-mode --no-binary-package --no-build-isolation-package
--no-build-package --no-sources-package --prerelease --prerelease-package --preview-feature
--preview-features --project --python --python-fetch --python-platform --python-preference
--reinstall-package --resolution --trusted-host --upgrade-group --upgrade-package -C -P -f -i -p
""",
    "uv venv": """
--allow-insecure-host --cache-dir --color --config-file --default-index --directory
--exclude-newer --exclude-newer-package --extra-index-url --find-links --index --index-strategy
--index-url --keyring-provider --link-mode --preview-feature --preview-features --project
--prompt --python --python-fetch --python-preference --refresh-package --trusted-host -f -i -p
""",
    "wget": """
--accept --accept-regex --append-output --backups --base --bind-address --body-data --body-file
--ca-certificate --ca-directory --certificate --certificate-type --ciphers --compression
--config --connect-timeout --crl-file --cut-dirs --default-page --directory-prefix --dns-timeout
--domains --exclude-directories --exclude-domains --execute --follow-tags --ftp-password
--ftp-user --header --http-password --http-user --ignore-tags --include-directories --input-file
--level --limit-rate --load-cookies --local-encoding --method --output-document --output-file
--password --pinnedpubkey --post-data --post-file --prefer-family --private-key
--private-key-type --progress --proxy-password --proxy-user --quota --read-timeout --referer
--regex-type --reject --reject-regex --rejected-log --remote-encoding --report-speed
--restrict-file-names --retry-on-http-error --save-cookies --secure-protocol --start-pos
--timeout --tries --use-askpass --user --user-agent --wait --waitretry --warc-dedup --warc-file
--warc-header --warc-max-size --warc-tempdir -A -B -D -I -O -P -Q -R -T -U -X -a -e -i -l -o -t
-w
""",
}
"""By tool and verb: the options that take a value of their own, separated by blanks."""
PLAIN_OPTIONS: dict[str, str] = {
    "cargo install": """
--all-features --bins --debug --dry-run --examples --force --frozen --help --ignore-rust-version
--keep-going --list --locked --no-default-features --no-track --offline --quiet --timings
--verbose -f -h -n -q -v
""",
    "curl": """
--anyauth --append --basic --cert-status --compressed --compressed-ssh --create-dirs --crlf
--digest --disable --disable-eprt --disable-epsv --disallow-username-in-url --doh-cert-status
--doh-insecure --fail --fail-early --fail-with-body --false-start --form-escape
--ftp-create-dirs --ftp-pasv --ftp-pret --ftp-skip-pasv-ip --ftp-ssl-ccc --ftp-ssl-control --get
--globoff --haproxy-protocol --head --http0 --http1 --http2 --http2-prior-knowledge --http3
--http3-only --ignore-content-length --include --insecure --ipv4 --ipv6 --junk-session-cookies
--list-only --location --location-trusted --mail-rcpt-allowfails --manual --metalink --negotiate
--netrc --netrc-optional --no-alpn --no-buffer --no-clobber --no-keepalive --no-npn
--no-progress-meter --no-sessionid --ntlm --ntlm-wb --parallel --parallel-immediate --path-as-is
--post301 --post302 --post303 --proxy-anyauth --proxy-basic --proxy-digest --proxy-insecure
--proxy-negotiate --proxy-ntlm --proxy-ssl-allow-beast --proxy-ssl-auto-client-cert
--proxy-tlsv1 --proxytunnel --raw --remote-header-name --remote-name --remote-name-all
--remote-time --remove-on-error --retry-all-errors --retry-connrefused --sasl-ir --show-error
--silent --socks5-basic --socks5-gssapi --socks5-gssapi-nec --ssl --ssl-allow-beast
--ssl-auto-client-cert --ssl-no-revoke --ssl-reqd --ssl-revoke-best-effort --sslv2 --sslv3
--styled-output --suppress-connect-headers --tcp-fastopen --tcp-nodelay --tftp-no-options
--tlsv1 --tr-encoding --trace-time --use-ascii --verbose --version --xattr -0 -1 -2 -3 -4 -6 -B
-G -I -J -L -M -N -O -R -S -V -Z -a -f -g -i -j -k -l -n -p -q -s -v
""",
    "dnf install": """
--allowerasing --assumeno --assumeyes --best --bugfix --cacheonly --debugsolver --disable
--downloadonly --enable --enhancement --help --help-cmd --newpackage --noautoremove --nobest
--nodocs --nogpgcheck --noplugins --obsoletes --quiet --refresh --sec-severity --secseverity
--security --showduplicates --skip-broken --verbose --version -4 -6 -C -b -h -q -v -y
""",
    "git checkout": """
--detach --force --guess --ignore-other-worktrees --ignore-skip-worktree-bits --merge --ours
--overlay --overwrite-ignore --patch --pathspec-file-nul --progress --quiet --recurse-submodules
--theirs --track -2 -3 -d -f -l -m -p -q -t
""",
    "git clone": """
--also-filter-submodules --bare --dissociate --ipv4 --ipv6 --local --mirror --no-checkout
--no-hardlinks --no-tags --progress --quiet --recurse-submodules --recursive --reject-shallow
--remote-submodules --shallow-submodules --shared --single-branch --sparse --verbose -4 -6 -l -n
-q -s -v
""",
    "git fetch": """
--all --append --atomic --auto-gc --auto-maintenance --dry-run --force --ipv4 --ipv6 --keep
--multiple --negotiate-only --prefetch --progress --prune --prune-tags --quiet
--recurse-submodules --refetch --set-upstream --show-forced-updates --stdin --tags --unshallow
--update-head-ok --update-shallow --verbose --write-commit-graph --write-fetch-head -4 -6 -P -a
-f -k -m -n -p -q -t -u -v
""",
    "git pull": """
--all --allow-unrelated-histories --append --autostash --commit --dry-run --edit --ff --ff-only
--force --gpg-sign --ipv4 --ipv6 --jobs --keep --log --progress --prune --quiet --rebase
--recurse-submodules --set-upstream --show-forced-updates --signoff --squash --stat --tags
--unshallow --update-shallow --verbose --verify --verify-signatures -4 -6 -S -a -f -j -k -n -p
-q -r -t -v
""",
    "git reset": """
--hard --intent-to-add --keep --merge --mixed --no-refresh --patch --pathspec-file-nul --quiet
--recurse-submodules --soft -N -p -q
""",
    "git switch": """
--detach --discard-changes --force --guess --ignore-other-worktrees --merge --overwrite-ignore
--progress --quiet --recurse-submodules --track -d -f -m -q -t
""",
    "pip download": """
--check-build-dependencies --debug --disable-pip-version-check --help --ignore-requires-python
--isolated --no-build-isolation --no-cache-dir --no-clean --no-color --no-dependencies --no-deps
--no-index --no-input --no-proxy-env --no-python-version-warning --no-require-hashes
--only-dependencies --only-deps --pre --prefer-binary --quiet --require-hashes --require-venv
--require-virtualenv --use-pep517 --verbose -h -q -v
""",
    "pip install": """
--break-system-packages --check-build-dependencies --compile --debug --disable-pip-version-check
--dry-run --force-reinstall --help --ignore-installed --ignore-requires-python --isolated
--no-build-isolation --no-cache-dir --no-clean --no-color --no-compile --no-dependencies
--no-deps --no-index --no-input --no-proxy-env --no-python-version-warning --no-require-hashes
--no-user --no-warn-conflicts --no-warn-script-location --only-dependencies --only-deps --pre
--prefer-binary --quiet --require-hashes --require-venv --require-virtualenv --upgrade
--use-pep517 --user --verbose -I -U -h -q -v
""",
    "pip lock": """
--check-build-dependencies --debug --disable-pip-version-check --help --ignore-requires-python
--isolated --no-build-isolation --no-cache-dir --no-clean --no-color --no-dependencies --no-deps
--no-index --no-input --no-proxy-env --no-python-version-warning --no-require-hashes
--only-dependencies --only-deps --pre --prefer-binary --quiet --require-hashes --require-venv
--require-virtualenv --use-pep517 --verbose -h -q -v
""",
    "pip wheel": """
--check-build-dependencies --debug --disable-pip-version-check --help --ignore-requires-python
--isolated --no-build-isolation --no-cache-dir --no-clean --no-color --no-dependencies --no-deps
--no-index --no-input --no-proxy-env --no-python-version-warning --no-require-hashes --no-verify
--only-dependencies --only-deps --pre --prefer-binary --quiet --require-hashes --require-venv
--require-virtualenv --use-pep517 --verbose -h -q -v
""",
    "uv add": """
--active --allow-python-downloads --binary --build --build-isolation --compile
--compile-bytecode --dev --editable --force-reinstall --frozen --help --isolated --lfs --locked
--managed-python --native-tls --no-active --no-binary --no-build --no-build-isolation --no-cache
--no-cache-dir --no-color --no-compile --no-compile-bytecode --no-config --no-editable
--no-frozen --no-index --no-install-local --no-install-project --no-install-workspace
--no-installer-metadata --no-locked --no-managed-python --no-native-tls --no-offline
--no-preview --no-progress --no-python-downloads --no-refresh --no-reinstall
--no-require-build-hashes --no-sources --no-sync --no-system-certs --no-upgrade --no-workspace
--offline --only-install-local --only-install-project --only-install-workspace --pre --preview
--quiet --raw --refresh --reinstall --require-build-hashes --show-settings --system-certs
--upgrade --verbose --workspace -U -h -n -q -v
""",
    "uv build": """
--all-packages --allow-python-downloads --binary --build --build-isolation --build-logs --clear
--create-gitignore --force-pep517 --help --isolated --list --managed-python --native-tls
--no-binary --no-build --no-build-isolation --no-build-logs --no-cache --no-cache-dir --no-color
--no-config --no-create-gitignore --no-index --no-installer-metadata --no-managed-python
--no-native-tls --no-offline --no-preview --no-progress --no-python-downloads --no-refresh
--no-require-build-hashes --no-require-hashes --no-sources --no-system-certs --no-upgrade
--no-verify-hashes --offline --pre --preview --quiet --refresh --require-build-hashes
--require-hashes --sdist --show-settings --skip-dependency-check --system-certs --upgrade
--verbose --verify-hashes --wheel -U -h -n -q -v
""",
    "uv export": """
--all-extras --all-groups --all-packages --allow-python-downloads --annotate --binary --build
--build-isolation --dev --editable --emit-find-links --emit-index-url --frozen --hashes --header
--help --isolated --locked --managed-python --native-tls --no-all-extras --no-annotate
--no-binary --no-build --no-build-isolation --no-cache --no-cache-dir --no-color --no-config
--no-default-groups --no-dev --no-editable --no-emit-find-links --no-emit-index-url
--no-emit-local --no-emit-project --no-emit-workspace --no-frozen --no-hashes --no-header
--no-index --no-installer-metadata --no-locked --no-managed-python --no-native-tls --no-offline
--no-preview --no-progress --no-python-downloads --no-refresh --no-require-build-hashes
--no-sources --no-system-certs --no-upgrade --offline --only-dev --only-emit-local
--only-emit-project --only-emit-workspace --pre --preview --quiet --refresh
--require-build-hashes --show-settings --system-certs --upgrade --verbose -U -h -n -q -v
""",
    "uv lock": """
--allow-python-downloads --binary --build --build-isolation --check --check-exists --dry-run
--frozen --help --isolated --locked --managed-python --native-tls --no-binary --no-build
--no-build-isolation --no-cache --no-cache-dir --no-color --no-config --no-frozen --no-index
--no-installer-metadata --no-locked --no-managed-python --no-native-tls --no-offline
--no-preview --no-progress --no-python-downloads --no-refresh --no-require-build-hashes
--no-sources --no-system-certs --no-upgrade --offline --pre --preview --quiet --refresh
--require-build-hashes --show-settings --system-certs --upgrade --verbose -U -h -n -q -v
""",
    "uv pip compile": """
--all-extras --allow-python-downloads --allow-unsafe --annotate --build --build-isolation --deps
--emit-build-options --emit-find-links --emit-index-annotation --emit-index-url
--emit-marker-expression --emit-options --emit-trusted-host --generate-hashes --header --help
--isolated --managed-python --native-tls --no-all-extras --no-allow-unsafe --no-annotate
--no-build --no-build-isolation --no-cache --no-cache-dir --no-color --no-config --no-deps
--no-emit-build-options --no-emit-find-links --no-emit-index-annotation --no-emit-index-url
--no-emit-marker-expression --no-emit-options --no-emit-trusted-host --no-generate-hashes
--no-header --no-index --no-installer-metadata --no-managed-python --no-native-tls --no-offline
--no-preview --no-progress --no-python-downloads --no-refresh --no-require-build-hashes
--no-reuse-hashes --no-sources --no-strip-extras --no-strip-markers --no-system
--no-system-certs --no-universal --no-upgrade --offline --pre --preview --quiet --refresh
--require-build-hashes --reuse-hashes --show-settings --strip-extras --strip-markers --system
--system-certs --universal --upgrade --verbose -U -h -n -q -v
""",
    "uv pip install": """
--all-extras --allow-python-downloads --break-system-packages --build --build-isolation --check
--compile --compile-bytecode --deps --disable-pip-version-check --dry-run --exact
--force-reinstall --help --inexact --isolated --managed-python --native-tls --no-all-extras
--no-break-system-packages --no-build --no-build-isolation --no-cache --no-cache-dir --no-color
--no-compile --no-compile-bytecode --no-config --no-deps --no-editable --no-index
--no-installer-metadata --no-managed-python --no-native-tls --no-offline --no-preview
--no-progress --no-python-downloads --no-refresh --no-reinstall --no-require-build-hashes
--no-require-hashes --no-sources --no-strict --no-system --no-system-certs --no-upgrade
--no-verify-hashes --offline --pre --preview --quiet --refresh --reinstall
--require-build-hashes --require-hashes --show-settings --strict --system --system-certs
--upgrade --user --verbose --verify-hashes -U -h -n -q -v
""",
    "uv pip sync": """
--all-extras --allow-empty-requirements --allow-python-downloads --ask --break-system-packages
--build --build-isolation --check --compile --compile-bytecode --dry-run --force-reinstall
--help --isolated --managed-python --native-tls --no-all-extras --no-allow-empty-requirements
--no-break-system-packages --no-build --no-build-isolation --no-cache --no-cache-dir --no-color
--no-compile --no-compile-bytecode --no-config --no-index --no-installer-metadata
--no-managed-python --no-native-tls --no-offline --no-preview --no-progress
--no-python-downloads --no-refresh --no-reinstall --no-require-build-hashes --no-require-hashes
--no-sources --no-strict --no-system --no-system-certs --no-verify-hashes --offline --preview
--quiet --refresh --reinstall --require-build-hashes --require-hashes --show-settings --strict
--system --system-certs --user --verbose --verify-hashes -a -h -n -q -v
""",
    "uv python install": """
--allow-python-downloads --bin --compile --compile-bytecode --default --force --help --isolated
--managed-python --native-tls --no-bin --no-cache --no-cache-dir --no-color --no-compile
--no-compile-bytecode --no-config --no-installer-metadata --no-managed-python --no-native-tls
--no-offline --no-preview --no-progress --no-python-downloads --no-registry --no-system-certs
--offline --preview --quiet --registry --reinstall --show-settings --system-certs --upgrade
--verbose -U -f -h -n -q -r -v
""",
    "uv run": """
--active --all-extras --all-groups --all-packages --allow-python-downloads --binary --build
--build-isolation --compile --compile-bytecode --dev --editable --exact --force-reinstall
--frozen --gui-script --help --inexact --isolated --locked --managed-python --module
--native-tls --no-active --no-all-extras --no-binary --no-build --no-build-isolation --no-cache
--no-cache-dir --no-color --no-compile --no-compile-bytecode --no-config --no-default-groups
--no-dev --no-editable --no-env-file --no-frozen --no-index --no-installer-metadata --no-locked
--no-managed-python --no-native-tls --no-offline --no-preview --no-progress --no-project
--no-python-downloads --no-refresh --no-reinstall --no-require-build-hashes --no-sources
--no-sync --no-system-certs --no-upgrade --offline --only-dev --pre --preview --quiet --refresh
--reinstall --require-build-hashes --script --show-resolution --show-settings --system-certs
--upgrade --verbose -U -h -m -n -q -s -v
""",
    "uv sync": """
--active --all-extras --all-groups --all-packages --allow-python-downloads --binary --build
--build-isolation --check --compile --compile-bytecode --dev --dry-run --editable --exact
--force-reinstall --frozen --help --inexact --isolated --locked --managed-python --native-tls
--no-active --no-all-extras --no-binary --no-build --no-build-isolation --no-cache
--no-cache-dir --no-check --no-color --no-compile --no-compile-bytecode --no-config
--no-default-groups --no-dev --no-editable --no-frozen --no-index --no-install-local
--no-install-project --no-install-workspace --no-installer-metadata --no-locked
--no-managed-python --no-native-tls --no-offline --no-preview --no-progress
--no-python-downloads --no-refresh --no-reinstall --no-require-build-hashes --no-sources
--no-system-certs --no-upgrade --offline --only-dev --only-install-local --only-install-project
--only-install-workspace --pre --preview --quiet --refresh --reinstall --require-build-hashes
--show-settings --system-certs --upgrade --verbose -U -h -n -q -v
""",
    "uv tool install": """
--allow-python-downloads --binary --build --build-isolation --compile --compile-bytecode
--editable --force --force-reinstall --help --isolated --lfs --managed-python --native-tls
--no-binary --no-build --no-build-isolation --no-cache --no-cache-dir --no-color --no-compile
--no-compile-bytecode --no-config --no-index --no-installer-metadata --no-managed-python
--no-native-tls --no-offline --no-preview --no-progress --no-python-downloads --no-refresh
--no-reinstall --no-require-build-hashes --no-sources --no-system-certs --no-upgrade --offline
--pre --preview --quiet --refresh --reinstall --require-build-hashes --show-settings
--system-certs --upgrade --verbose -U -e -h -n -q -v
""",
    "uv tool run": """
--allow-python-downloads --binary --build --build-isolation --compile --compile-bytecode
--force-reinstall --help --isolated --lfs --managed-python --native-tls --no-binary --no-build
--no-build-isolation --no-cache --no-cache-dir --no-color --no-compile --no-compile-bytecode
--no-config --no-env-file --no-index --no-installer-metadata --no-managed-python --no-native-tls
--no-offline --no-preview --no-progress --no-python-downloads --no-refresh --no-reinstall
--no-require-build-hashes --no-sources --no-system-certs --no-upgrade --offline --pre --preview
--quiet --refresh --reinstall --require-build-hashes --show-resolution --show-settings
--system-certs --upgrade --verbose -U -h -n -q -v
""",
    "uv tool upgrade": """
--all --allow-python-downloads --binary --build --build-isolation --compile --compile-bytecode
--force-reinstall --help --isolated --managed-python --native-tls --no-binary --no-build
--no-build-isolation --no-cache --no-cache-dir --no-color --no-compile --no-compile-bytecode
--no-config --no-index --no-installer-metadata --no-managed-python --no-native-tls --no-offline
--no-preview --no-progress --no-python-downloads --no-reinstall --no-require-build-hashes
--no-sources --no-system-certs --offline --pre --preview --quiet --reinstall
--require-build-hashes --show-settings --system-certs --upgrade --verbose -U -h -n -q -v
""",
    "uv venv": """
--allow-existing --allow-python-downloads --clear --force --help --isolated --managed-python
--native-tls --no-cache --no-cache-dir --no-clear --no-color --no-config --no-index
--no-installer-metadata --no-managed-python --no-native-tls --no-offline --no-pip --no-preview
--no-progress --no-project --no-python-downloads --no-refresh --no-relocatable --no-seed
--no-setuptools --no-system --no-system-certs --no-wheel --offline --preview --quiet --refresh
--relocatable --seed --show-settings --system --system-certs --system-site-packages --verbose -c
-h -n -q -v
""",
    "wget": """
--adjust-extension --ask-password --auth-no-challenge --background --backup-converted
--content-disposition --content-on-error --continue --convert-file-only --convert-links --debug
--delete-after --follow-ftp --force-directories --force-html --ftps-clear-data-connection
--ftps-fallback-to-ftp --ftps-implicit --ftps-resume-ssl --help --hsts-file --https-only
--ignore-case --ignore-length --inet4-only --inet6-only --keep-session-cookies --max-redirect
--mirror --no-cache --no-check-certificate --no-clobber --no-config --no-cookies
--no-directories --no-dns-cache --no-glob --no-host-directories --no-hsts --no-http-keep-alive
--no-if-modified-since --no-iri --no-netrc --no-parent --no-passive-ftp --no-proxy
--no-remove-listing --no-use-server-timestamps --no-verbose --no-warc-compression
--no-warc-digests --no-warc-keep-log --page-requisites --preserve-permissions
--protocol-directories --quiet --random-wait --recursive --relative --retr-symlinks
--retry-connrefused --save-headers --server-response --show-progress --span-hosts --spider
--strict-comments --timestamping --trust-server-names --unlink --verbose --version --warc-cdx
--xattr -4 -6 -E -F -H -K -L -N -S -V -b -c -d -h -k -m -nH -nc -nd -np -nv -p -q -r -v -x
""",
}
"""By tool and verb: the options that take none, separated by blanks."""
