package main

import (
	"slices"
	"strings"
	"testing"
)

func TestNeeds_WithoutRealServersOnlyACompiler(t *testing.T) {
	names := func(real bool) (all []string) {
		for _, n := range needs(real) {
			all = append(all, n.packages...)
		}
		return all
	}
	if got, want := names(false), []string{"gcc", "libc6-dev"}; !slices.Equal(got, want) {
		t.Errorf("needs(false) = %v, want %v", got, want)
	}
	for _, name := range []string{"gcc", "docker.io", "debootstrap", "chromium", "firefox-esr", "npm", "memcached", "sasl2-bin", "redis-server"} {
		if !slices.Contains(names(true), name) {
			t.Errorf("needs(true) = %v, want %s in it", names(true), name)
		}
	}
}

// A machine that has everything is left as it is.
func TestPrepare_InstallsNothingThatIsThere(t *testing.T) {
	t.Setenv("MEMCACHED_INTEGRATION", "off")
	if noCompiler(t.Context()) {
		t.Skip("no C compiler")
	}
	if err := prepare(t.Context()); err != nil {
		t.Errorf("prepare = %v, want nil", err)
	}
}

// Whoever may not install is told what is missing and how to get it.
func TestPrepare_NamesWhatItMayNotInstall(t *testing.T) {
	t.Setenv("MEMCACHED_INTEGRATION", "off")
	t.Setenv("PATH", t.TempDir()) // neither go nor a compiler nor apt-get
	err := prepare(t.Context())
	if err == nil || !strings.Contains(err.Error(), "apt-get install gcc libc6-dev") {
		t.Errorf("prepare = %v, want it to name gcc and libc6-dev", err)
	}
}
