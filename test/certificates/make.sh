#!/bin/sh
# Makes what lies beside it, good from 2000 to 2100, whatever a test machine's clock says, or to 2001; the keys guard nothing.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

# certificate NAME SUBJECT EXTENSION SIGNER-OPTION...
certificate() {
  name=$1 subject=$2 extension=$3
  shift 3
  openssl ecparam -name prime256v1 -genkey -noout -out "$name.key"
  openssl req -new -key "$name.key" -subj "$subject" -out "$work/request"
  : >"$work/index"
  cat >"$work/config" <<END
[ca]
default_ca = tests
[tests]
database = $work/index
new_certs_dir = $work
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = extensions
[any]
commonName = supplied
[extensions]
$extension
END
  openssl ca -batch -notext -config "$work/config" -startdate 20000101000000Z -enddate "${end:-21000101000000Z}" \
    -in "$work/request" -out "$name.pem" "$@"
}

# authority NAME SUBJECT
authority() { certificate "$1" "$2" basicConstraints=critical,CA:TRUE -selfsign -keyfile "$1.key"; }

# signed NAME AUTHORITY SUBJECT ALTERNATIVE-NAMES
signed() { certificate "$1" "$3" "subjectAltName=$4" -cert "$2.pem" -keyfile "$2.key"; }

# revocations NAME AUTHORITY CERTIFICATE...: the list of an authority in which these are revoked
revocations() {
  list=$1 authority=$2
  shift 2
  for revoked in "$@"; do
    serial=$(openssl x509 -in "$revoked.pem" -noout -serial)
    printf 'R\t210001010000Z\t200101000000Z\t%s\tunknown\t/CN=%s\n' "${serial#serial=}" "$revoked"
  done >"$work/index"
  openssl ca -gencrl -config "$work/config" -keyfile "$authority.key" -cert "$authority.pem" \
    -crl_lastupdate 20000101000000Z -crl_nextupdate 21000101000000Z -out "$list.pem"
}

authority ca '/CN=Test CA'
authority other-ca '/CN=Other CA'
signed server ca '/CN=first' 'DNS:localhost,IP:127.0.0.1'
signed renewed ca '/CN=second' 'DNS:localhost,IP:127.0.0.1'
signed sensor ca '/CN=sensor 7' 'DNS:sensor-7.example,email:sensor-7@example.com'
signed stranger other-ca '/CN=sensor 7' 'DNS:sensor-7.example'
end=20010101000000Z authority expired '/CN=localhost'
authority fleet-ca '/CN=Fleet CA'
signed kept fleet-ca '/CN=kept' 'DNS:kept.example'
signed revoked fleet-ca '/CN=revoked' 'DNS:revoked.example'
revocations fleet-crl fleet-ca revoked
revocations fleet-crl-empty fleet-ca
rm ca.key other-ca.key fleet-ca.key
