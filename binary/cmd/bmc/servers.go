package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

func versionsCommand() command {
	return command{
		name: "versions", summary: "print the version of every server",
		setup: func(*flag.FlagSet) action {
			return func(ctx context.Context, t *tool, _ []string) (result, error) {
				client, servers, err := t.connect(ctx)
				if err != nil {
					return nil, err
				}
				defer client.Close()
				versions, err := client.Versions(ctx)
				found := &versionsResult{Servers: []versionOfServer{}}
				for _, server := range servers {
					if version, ok := versions[server]; ok {
						found.Servers = append(found.Servers, versionOfServer{server, version})
					}
				}
				return found, err
			}
		},
	}
}

type versionsResult struct {
	Servers []versionOfServer `json:"servers"`
}

type versionOfServer struct {
	Server  string `json:"server"`
	Version string `json:"version"`
}

func (v *versionsResult) text(p *printer) {
	for _, s := range v.Servers {
		p.line("%s %s", s.Server, s.Version)
	}
}

func statsCommand() command {
	return command{
		name: "stats", arguments: "[GROUP]", max: 1,
		summary: "print the statistics of every server",
		details: "GROUP is one that memcached has: settings, items, slabs, conns, sizes and others; " +
			"without it the general ones are printed. The group reset sets counters to zero and needs --yes.",
		setup: func(flags *flag.FlagSet) action {
			yes := flags.Bool("yes", false, "really reset")
			return func(ctx context.Context, t *tool, args []string) (result, error) {
				group := strings.Join(args, "")
				if strings.HasPrefix(group, "reset") && !*yes {
					return nil, usagef("this sets the counters of the servers to zero: repeat it with --yes")
				}
				client, servers, err := t.connect(ctx)
				if err != nil {
					return nil, err
				}
				defer client.Close()
				stats, err := client.ServerStats(ctx, group)
				found := &statsResult{Servers: []statsOfServer{}}
				for _, server := range servers {
					if of, ok := stats[server]; ok {
						found.Servers = append(found.Servers, statsOfServer{server, of})
					}
				}
				return found, err
			}
		},
	}
}

type statsResult struct {
	Servers []statsOfServer `json:"servers"`
}

type statsOfServer struct {
	Server string            `json:"server"`
	Stats  map[string]string `json:"stats"`
}

func (s *statsResult) text(p *printer) {
	for i, of := range s.Servers {
		if i > 0 {
			p.line("")
		}
		p.line("%s", of.Server)
		width := 0
		for name := range of.Stats {
			width = max(width, len(name))
		}
		for _, name := range slices.Sorted(maps.Keys(of.Stats)) {
			p.line("  %-*s  %s", width, name, of.Stats[name])
		}
	}
}

func flushCommand() command {
	return command{
		name: "flush", summary: "remove everything from all servers",
		details: "Does nothing without --yes.",
		setup: func(flags *flag.FlagSet) action {
			yes := flags.Bool("yes", false, "really remove everything")
			var after time.Duration
			flags.Func("after", "`TIME` that the servers wait first: seconds, 90s or 1h30m", func(text string) (err error) {
				after, err = parseTTL(text)
				return err
			})
			return func(ctx context.Context, t *tool, _ []string) (result, error) {
				servers, err := t.serverList()
				if err != nil {
					return nil, err
				}
				if !*yes {
					return nil, usagef("this removes everything from %s: repeat it with --yes", strings.Join(servers, ", "))
				}
				client, _, err := t.connect(ctx)
				if err != nil {
					return nil, err
				}
				defer client.Close()
				err = client.FlushAll(ctx, after)
				failed := errorsByName(err)
				found := &flushResult{Flushed: []string{}}
				for _, server := range servers {
					if failed[server] == nil {
						found.Flushed = append(found.Flushed, server)
					}
				}
				return found, err
			}
		},
	}
}

type flushResult struct {
	Flushed []string `json:"flushed"`
}

func (f *flushResult) text(p *printer) {
	for _, server := range f.Flushed {
		p.line("flushed %s", server)
	}
}

// count writes a number with its noun.
func count(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
