#!/bin/sh
# Starts memcached with the arguments given.
#
#   SASL_USERS       one "name:password" per line; when set, SASL is on
#   SASL_MECHANISMS  what the server offers, separated by spaces
#   SOCKET_DIR       folder of the Unix socket, opened to memcached's own user
set -eu

if [ -n "${SASL_USERS:-}" ]; then
	db=/etc/memcached.sasldb2
	# Cyrus looks users up in the realm of the machine's name.
	realm=$(hostname)
	mkdir -p /etc/sasl2
	cat >/etc/sasl2/memcached.conf <<-END
		mech_list: ${SASL_MECHANISMS:-PLAIN SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5}
		pwcheck_method: auxprop
		auxprop_plugin: sasldb
		sasldb_path: $db
	END
	rm -f "$db"
	printf '%s\n' "$SASL_USERS" | while IFS=: read -r name password; do
		printf %s "$password" | saslpasswd2 -p -c -a memcached -f "$db" -u "$realm" "$name"
	done
	chown memcache "$db"
	set -- -S "$@"
fi

if [ -n "${SOCKET_DIR:-}" ]; then
	chmod 0777 "$SOCKET_DIR"
fi

exec memcached -u memcache "$@"
