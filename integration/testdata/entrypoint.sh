#!/bin/sh
# Starts memcached, or yrmcds, with the arguments given.
#
#   SERVER           the program: memcached, or yrmcdsd, which takes no arguments
#   SASL_USERS       one "name:password" per line; when set, SASL is on
#   SASL_MECHANISMS  what the server offers, separated by spaces
#   TEXT_USERS       the same, for the password file of the text protocol (-Y)
#   PROXY            when set, memcached is a proxy before a memcached of its own
#   SOCKET_DIR       folder of the Unix socket, opened to memcached's own user
set -eu

if [ "${SERVER:-memcached}" = yrmcdsd ]; then
	cat >/etc/yrmcds.conf <<-END
		user = memcache
		group = memcache
		temp_dir = "/tmp"
		max_data_size = 1M
		memory_limit = 64M
		log.threshold = warning
	END
	exec yrmcdsd
fi

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

if [ -n "${TEXT_USERS:-}" ]; then
	printf '%s\n' "$TEXT_USERS" >/etc/memcached.users
	set -- -Y /etc/memcached.users "$@"
fi

if [ -n "${PROXY:-}" ]; then
	cat >/etc/memcached.lua <<-'END'
		function mcp_config_pools()
			return mcp.pool({ mcp.backend("memcached", "127.0.0.1", "11212") })
		end
		function mcp_config_routes(pool)
			local generator = mcp.funcgen_new()
			local handle = generator:new_handle(pool)
			generator:ready({ f = function(context)
				return function(request) return context:enqueue_and_wait(request, handle) end
			end })
			mcp.attach(mcp.CMD_ANY_STORAGE, generator)
		end
	END
	memcached -u memcache -l 127.0.0.1 -p 11212 &
	set -- -o proxy_config=/etc/memcached.lua "$@"
fi

if [ -n "${SOCKET_DIR:-}" ]; then
	chmod 0777 "$SOCKET_DIR"
fi

exec memcached -u memcache "$@"
