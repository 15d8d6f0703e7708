// Command bench measures this module's client beside other memcached clients
// for Go, against a memcached that it starts itself, and writes RESULTS.md.
//
//	go run . -list
//	go run . -rows get64 -rounds 3 -duration 500ms
//	go run . -rows get,set -callers 1,24 -peers ours,gomemcache
//	go run . -rows get64 -only ours -duration 5s -cpuprofile cpu.prof
//	go run . -rows get8 -regimes quiet,awake
//	go run . -write
//	go run . -curve -ops get,set -callers 2,8,32 -delays 0,1ms
//	go run . -curve -each -ops get,set -procs 2,1 -delays 0,1ms
//
// Only -write touches files of the repository; every run leaves its measurements
// in results/.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	rows, peers, callers string
	delays, regimes      string
	curves               curveFlags
	rounds               int
	timing               timing
	list, write, render  bool
	folder, readme       string
	cpuProfile, allocs   string
	server               serverOptions
}

func main() {
	if ok, err := serveChild(os.Stdin, os.Stdout); ok {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, err)
		}
		stop()
		os.Exit(1)
	}
}

// parse reads the flags.
func parse(args []string, stderr io.Writer) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.rows, "rows", "", "rows to measure, comma-separated names or globs (get64, get*); empty: all")
	f.StringVar(&o.callers, "callers", "", "numbers of callers, comma-separated; -rows then names workloads (get, set, mixed, large, getmulti, setmulti)")
	f.StringVar(&o.delays, "delays", "", "with -callers or -curve: added to each round trip by a proxy, comma-separated (0,200us,1ms)")
	f.StringVar(&o.regimes, "regimes", "", "quiet: processors halt when they have nothing to do; awake: others keep them from it; comma-separated; empty: as each row says, with -curve both")
	o.curves.register(f)
	f.StringVar(&o.peers, "peers", "", "contestants, comma-separated; empty: all")
	f.StringVar(&o.peers, "only", "", "the same as -peers, for one")
	f.IntVar(&o.rounds, "rounds", 5, "interleaved rounds")
	f.DurationVar(&o.timing.duration, "duration", time.Second, "length of one measurement")
	f.DurationVar(&o.timing.warmup, "warmup", 0, "length of the warm-up before each; 0: a quarter of -duration")
	f.BoolVar(&o.list, "list", false, "list the rows and end")
	f.BoolVar(&o.write, "write", false, "write RESULTS.md and its plot, and the figures of the README")
	f.BoolVar(&o.render, "render", false, "measure nothing: write RESULTS.md and its plot from the last run")
	f.StringVar(&o.folder, "folder", ".", "where RESULTS.md, notes.md and results/ are")
	f.StringVar(&o.readme, "readme", "", "the README that shows figures; empty: README.md two folders above -folder, if it is there")
	f.StringVar(&o.cpuProfile, "cpuprofile", "", "file for a CPU profile of the run")
	f.StringVar(&o.allocs, "allocprofile", "", "file for a profile of allocations")
	f.StringVar(&o.server.addr, "server", "", "host:port of a memcached that runs already; empty: start one")
	f.StringVar(&o.server.image, "image", "memcached:1.6", "container image where memcached is not on PATH")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("bench: unexpected argument %q", f.Arg(0))
	}
	if o.rounds < 1 || o.timing.duration <= 0 {
		return nil, errors.New("bench: -rounds and -duration must be positive")
	}
	if o.timing.warmup == 0 {
		o.timing.warmup = o.timing.duration / 4
	}
	return o, nil
}

// choose returns the rows that the flags ask for.
func (o *options) choose() ([]row, error) {
	callers, err := numbers("callers", o.callers, nil)
	if err != nil {
		return nil, err
	}
	delays, err := durations("delays", o.delays)
	if err != nil {
		return nil, err
	}
	awake, err := regimes(o.regimes, nil)
	if err != nil {
		return nil, err
	}
	rows, err := selectRows(defaultRows(), o.rows, callers, delays)
	if err != nil {
		return nil, err
	}
	rows = inRegimes(rows, awake)
	names := contestants(rows)
	if o.peers != "" {
		names = strings.Split(o.peers, ",")
	}
	if rows = keepPeers(rows, names); len(rows) == 0 {
		return nil, fmt.Errorf("bench: none of -peers %q takes part in these rows", o.peers)
	}
	return rows, nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if o.curves.on {
		return o.runCurve(ctx, args, stdout, stderr)
	}
	rows, err := o.choose()
	if err != nil {
		return err
	}
	raw := filepath.Join(o.folder, "results", "last.json")
	if o.list {
		for _, r := range rows {
			fmt.Fprintf(stdout, "%-14s %s (%s)\n", r.Name, r.Title, strings.Join(r.Peers, ", "))
		}
		return nil
	}
	if o.render {
		r, err := loadResults(raw)
		if err != nil {
			return err
		}
		return o.publish(r, rows)
	}
	r, err := o.measure(ctx, args, rows, stderr)
	if err != nil {
		return err
	}
	if err := r.save(raw); err != nil {
		return err
	}
	if o.write {
		return o.publish(r, rows)
	}
	return writeReport(stdout, r, rows, "", nil)
}

// measure starts the server and runs the rows.
func (o *options) measure(ctx context.Context, args []string, rows []row, stderr io.Writer) (r *results, err error) {
	machine := describeMachine()
	e, err := newEnv(ctx, o.server)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	r = &results{
		Started:  time.Now(),
		Machine:  machine,
		Versions: map[string]string{},
		Server:   e.server.version + ", `" + e.server.command + "`",
		Command:  strings.TrimSpace("go run . " + strings.Join(args, " ")),
	}
	for _, p := range peers {
		if p.Module() != "" {
			r.Versions[p.Name()] = moduleVersion(p.Module())
		}
	}
	for _, path := range layerModules {
		r.Versions[path] = moduleVersion("github.com/" + path)
	}
	stop, err := profile(o.cpuProfile, o.allocs)
	if err != nil {
		return nil, err
	}
	n := &runner{env: e, rows: rows, rounds: o.rounds, timing: o.timing, progress: stderr}
	before := readProcessorTime()
	err = errors.Join(n.run(ctx, r), stop())
	r.Machine["stolen by other machines during the run"] = readProcessorTime().stolenSince(before)
	if e.redisAnywhere != nil {
		r.Machine["Redis"] = fmt.Sprintf("%s, `%s`, on the same cores, over loopback", redisVersion(), e.redisAnywhere.command)
	}
	if slices.ContainsFunc(rows, func(r row) bool { return r.Awake }) {
		r.Machine["processors kept awake by"] = awakeLoad
	}
	return r, err
}

// publish writes the report and its plot.
func (o *options) publish(r *results, rows []row) error {
	const plot = "throughput.svg"
	var plots []string
	svg, err := drawPlot(r, rows)
	if err != nil {
		return err
	}
	if svg != nil {
		if err := os.WriteFile(filepath.Join(o.folder, plot), svg, 0o644); err != nil {
			return err
		}
		plots = append(plots, plot)
	}
	file, err := os.Create(filepath.Join(o.folder, "RESULTS.md"))
	if err != nil {
		return err
	}
	err = errors.Join(writeReport(file, r, rows, filepath.Join(o.folder, "notes.md"), plots), file.Close())
	readme := cmp.Or(o.readme, filepath.Join(o.folder, "..", "..", "README.md"))
	return errors.Join(err, putFigures(readme, figures(r)))
}
