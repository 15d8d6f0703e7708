package languages_test

import (
	"fmt"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/placement"
)

// phpSessions stores sessions as PHP itself does, with its own settings.
const phpSessions = `<?php
ini_set('session.save_handler', 'memcached');
ini_set('session.save_path', getenv('MEMCACHED_SERVERS'));
ini_set('session.use_cookies', '0');
ini_set('session.cache_limiter', '');
ini_set('memcached.sess_sasl_username', getenv('MEMCACHED_USERNAME'));
ini_set('memcached.sess_sasl_password', getenv('MEMCACHED_PASSWORD'));
for ($i = 0; $i < 40; $i++) {
    session_id("session$i");
    session_start() || exit(1);
    $_SESSION = ['user' => "Ada $i"];
    session_write_close() || exit(1);
}
echo ini_get('memcached.sess_prefix'), ' ', ini_get('memcached.sess_consistent_hash_type');
`

// TestPHPSessions finds the sessions of PHP where the documentation says that they
// are, which is by another ring than ketama, and without their prefix.
func TestPHPSessions(t *testing.T) {
	servers := language{}.start(t, 3)
	sessions := php.asInstalled(nil, placing{
		"LibmemcachedConsistent without prefix",
		placement.WithoutPrefix("memc.sess.key.", placement.LibmemcachedConsistent),
	})
	client := sessions.connect(t, servers...)
	said := languages(t).execute(t, "/tmp/sessions.php", phpSessions, environment(servers), "php", "/tmp/sessions.php")
	if said != "memc.sess.key. ketama" {
		t.Errorf("PHP's settings are %q", said)
	}
	for i := range 40 {
		item, err := client.Get(t.Context(), fmt.Sprintf("memc.sess.key.session%d", i))
		if err != nil {
			t.Errorf("session %d: Get = %v", i, err)
			continue
		}
		var text string
		name := fmt.Sprintf("Ada %d", i)
		if err := sessions.codec.Decode(item.Value, item.Flags, &text); err != nil || text != fmt.Sprintf(`user|s:%d:"%s";`, len(name), name) {
			t.Errorf("session %d = %q, %v", i, text, err)
		}
	}
}
