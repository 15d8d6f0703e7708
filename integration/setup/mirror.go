package main

import (
	"context"
	"os/exec"
	"strings"
)

// mirror returns the archive from which this machine itself installs Debian, or
// "" where its apt knows none, as on Ubuntu: debootstrap has a default then.
func mirror(ctx context.Context) string {
	if found := configured(ctx); found != "" {
		return found
	}
	// Who publishes an archive is in its index, which images of machines often lack.
	if err := system(ctx, "apt-get", "update"); err != nil {
		return ""
	}
	return configured(ctx)
}

// configured asks apt for the archives that its configuration names, in whatever
// format they are written there.
func configured(ctx context.Context) string {
	targets, err := exec.CommandContext(ctx, "apt-get", "indextargets",
		"--format", "$(ORIGIN)|$(SITE)|$(RELEASE)|$(COMPONENT)", "Created-By: Packages").Output()
	if err != nil {
		return ""
	}
	return choose(string(targets))
}

// choose returns the archive of Debian itself among lines of
// origin|site|release|component: one that offers suite, or else any, as all
// releases are in one archive. Those of updates and security are others.
func choose(targets string) string {
	found := ""
	for line := range strings.Lines(targets) {
		fields := strings.Split(strings.TrimSpace(line), "|")
		if len(fields) != 4 || fields[0] != "Debian" || fields[3] != "main" {
			continue
		}
		site, release := fields[1], fields[2]
		switch {
		case !fetchable(site):
		case release == suite:
			return site
		case found == "" && !strings.ContainsAny(release, "-/"):
			found = site
		}
	}
	return found
}

// fetchable reports whether debootstrap can use site; cdrom: and mirror+file:
// are apt's own.
func fetchable(site string) bool {
	scheme, _, _ := strings.Cut(site, ":")
	return scheme == "http" || scheme == "https" || scheme == "file"
}
