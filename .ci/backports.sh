# Says where the machine's own package sources would have a Debian release's backports. It is sourced by .ci/run, and names no host itself.

# Prints the line that adds the backports of the release $1, from the first host that serves the release and its updates, else the first that serves
# the release: that is Debian's archive or a mirror of it, where others serve only packages for it. apt itself is asked, since it knows every way in
# which sources are written, and without the network. Prints nothing where the machine has the backports already; fails where no source is found.
backports_line() {
  local addresses host
  # apt names each file that it would fetch as 'address' name size.
  addresses=$(apt-get update --print-uris 2>/dev/null | sed -n "s|^'\(.*\)/dists/\([^/']*\)/InRelease' .*|\2 \1|p")
  grep -q "^$1-backports " <<<"$addresses" && return 0
  for host in $(sed -n "s|^$1 ||p" <<<"$addresses"); do
    grep -qxF "$1-updates $host" <<<"$addresses" && break
    host=
  done
  host=${host:-$(sed -n "s|^$1 ||p" <<<"$addresses" | head -n 1)}
  [ -n "$host" ] && echo "deb $host $1-backports main"
}
