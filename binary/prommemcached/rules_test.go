package prommemcached_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v2"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/prommemcached"
)

// described returns the names of all metrics.
func described(t *testing.T) map[string]bool {
	t.Helper()
	client := newClient(t, memcached.Options{}, memcachedtest.Start(t, nil))
	name := regexp.MustCompile(`fqName: "(\w+)"`)
	names := map[string]bool{}
	for _, c := range []prometheus.Collector{
		prommemcached.NewCollector(client, nil), prommemcached.NewServerCollector(client, nil), prommemcached.NewTracer(nil),
	} {
		descs := make(chan *prometheus.Desc)
		go func() { c.Describe(descs); close(descs) }()
		for d := range descs {
			names[name.FindStringSubmatch(d.String())[1]] = true
		}
	}
	return names
}

var metricName = regexp.MustCompile(`\bmemcached_\w+`)

// wantMetrics checks that an expression is about metrics that exist, and that its
// brackets match.
func wantMetrics(t *testing.T, where, expr string, names map[string]bool) {
	t.Helper()
	found := metricName.FindAllString(expr, -1)
	if len(found) == 0 {
		t.Errorf("%s: %q is about no metric", where, expr)
	}
	for _, name := range found {
		if !names[name] && !names[strings.TrimSuffix(name, "_bucket")] {
			t.Errorf("%s: there is no metric %s", where, name)
		}
	}
	for _, pair := range []string{"()", "{}", "[]"} {
		if strings.Count(expr, pair[:1]) != strings.Count(expr, pair[1:]) {
			t.Errorf("%s: %q does not close a %q", where, expr, pair[:1])
		}
	}
}

func TestAlerts_AreRulesAboutMetricsThatExist(t *testing.T) {
	text, err := os.ReadFile("alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.UnmarshalStrict(text, &file); err != nil {
		t.Fatal(err)
	}
	names, rules := described(t), 0
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			rules++
			wantMetrics(t, rule.Alert, rule.Expr, names)
			if rule.Labels["severity"] == "" || rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
				t.Errorf("%s has no severity, summary or description", rule.Alert)
			}
		}
	}
	if rules < 8 {
		t.Errorf("%d rules, want 8", rules)
	}
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Log("promtool is not installed: the rules run in the tests of integration/monitoring only")
		return
	}
	for _, args := range [][]string{{"check", "rules", "alerts.yml"}, {"test", "rules", "alerts_test.yml"}} {
		if out, err := exec.CommandContext(t.Context(), promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %q = %v\n%s", args, err, out)
		}
	}
}

func TestDashboard_ShowsMetricsThatExist(t *testing.T) {
	text, err := os.ReadFile("grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Title, UID string
		Panels     []struct {
			ID      int
			Title   string
			Targets []struct{ Expr, RefID string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	names, ids := described(t), map[int]bool{}
	for _, panel := range dashboard.Panels {
		if ids[panel.ID] || len(panel.Targets) == 0 {
			t.Errorf("%s has no target, or the number of another panel", panel.Title)
		}
		ids[panel.ID] = true
		for _, target := range panel.Targets {
			wantMetrics(t, panel.Title, target.Expr, names)
		}
	}
	if dashboard.Title == "" || dashboard.UID == "" || len(ids) < 10 {
		t.Errorf("the dashboard %q has %d panels", dashboard.Title, len(ids))
	}
}
