package main

import "testing"

func TestChoose_DebiansOwnArchive(t *testing.T) {
	for _, test := range []struct{ name, targets, want string }{
		{"the suite's", "Debian|http://a.example/debian|bookworm-updates|main\nDebian|http://b.example/debian|trixie|main\nDebian|https://c.example/debian|bookworm|main\n", "https://c.example/debian"},
		{"another release's", "Debian|http://a.example/debian|trixie-updates|main\nDebian|http://b.example/debian|trixie|main\n", "http://b.example/debian"},
		{"not somebody else's", "Tools|http://tools.example/apt|bookworm|main\nDebian|http://a.example/debian|bookworm|main\n", "http://a.example/debian"},
		{"not of another component", "Debian|http://a.example/debian|bookworm|contrib\n", ""},
		{"not of security", "Debian|http://a.example/debian-security|bookworm-security|main\nDebian|http://a.example/debian-security|bookworm/updates|main\n", ""},
		{"not what only apt can read", "Debian|cdrom:[Debian 12]|bookworm|main\nDebian|mirror+file:/etc/mirrors|bookworm|main\n", ""},
		{"Ubuntu", "Ubuntu|http://a.example/ubuntu|noble|main\n", ""},
		{"without an index", "|http://a.example/debian|bookworm|main\n", ""},
		{"nothing", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := choose(test.targets); got != test.want {
				t.Errorf("choose = %q, want %q", got, test.want)
			}
		})
	}
}
