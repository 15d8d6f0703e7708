package monitoring_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	grafana "github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// board is a dashboard in the format that every Grafana imports.
//
//lint:ignore SA1019 dashboardv2 is for new ones only
type board = dashboard.Dashboard

// loadDashboard reads grafana.json as strictly as Grafana's own types do: no
// field that they do not know, none missing that they want.
func loadDashboard(t *testing.T) board {
	t.Helper()
	text, err := os.ReadFile(rules + "grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	runtime := cog.NewRuntime()
	runtime.RegisterPanelcfgVariant(timeseries.VariantConfig())
	runtime.RegisterDataqueryVariant(grafana.VariantConfig())
	// The strict reader finds mistakes and drops panels; the other keeps them.
	var strict, d board
	if err := strict.UnmarshalJSONStrict(text); err != nil && err.Error() != "" { // a list, which may be empty
		t.Fatalf("grafana.json is not what Grafana imports: %v", err)
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	if err := d.Validate(); err != nil {
		t.Fatalf("grafana.json is not what Grafana imports: %v", err)
	}
	return d
}

// queries returns the expressions of the dashboard, by panel and query.
func queries(t *testing.T, d board) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, p := range d.Panels {
		if p.Panel == nil {
			t.Fatal("a row in the dashboard")
		}
		if p.Panel.Title == nil || p.Panel.FieldConfig == nil {
			t.Fatal("a panel without a title or units")
		}
		for _, target := range p.Panel.Targets {
			query, ok := target.(*grafana.Dataquery)
			if value, isValue := target.(grafana.Dataquery); isValue {
				query, ok = &value, true
			}
			if !ok || query.Expr == "" || query.RefId == nil {
				t.Fatalf("%s has a query of type %T, want one of Prometheus with an expression", *p.Panel.Title, target)
			}
			found[*p.Panel.Title+" "+*query.RefId] = query.Expr
		}
	}
	return found
}

func TestDashboard_IsWhatGrafanaImports(t *testing.T) {
	d := loadDashboard(t)
	if n := len(queries(t, d)); n < 15 {
		t.Errorf("%d queries, want 15 or more", n)
	}
	// What is imported must have no place on the server from which it came.
	if d.Id != nil {
		t.Errorf("the dashboard has the number %d of some server", *d.Id)
	}
}

// sample is one series of an answer.
type sample struct {
	Metric map[string]string
	Value  [2]any // time, number as text
}

// series asks for an expression as a panel does, with every program chosen.
func (p *prometheus) series(t *testing.T, expr string, instances []string) ([]sample, error) {
	for i := range instances {
		instances[i] = regexp.QuoteMeta(instances[i])
	}
	// In a string of PromQL, a backslash stands for itself when it is doubled.
	all := strings.ReplaceAll("("+strings.Join(instances, "|")+")", `\`, `\\`)
	var data struct{ Result []sample }
	err := p.get(t.Context(), "/api/v1/query", url.Values{"query": {strings.ReplaceAll(expr, "$instance", all)}}, &data)
	return data.Result, err
}

// TestDashboard_EveryQueryShowsSomething: of a site that is in use.
func TestDashboard_EveryQueryShowsSomething(t *testing.T) {
	t.Parallel()
	d := loadDashboard(t)
	s := startSite(t)
	p := startPrometheus(t, s.address)
	var instances []string
	eventually(t, func() error { // as the dashboard's variable does
		err := p.get(t.Context(), "/api/v1/label/instance/values", url.Values{"match[]": {"memcached_client_operations_total"}}, &instances)
		if err == nil && len(instances) != 1 {
			err = fmt.Errorf("programs %q, want one", instances)
		}
		return err
	})
	for name, expr := range queries(t, d) {
		eventually(t, func() error {
			found, err := p.series(t, expr, slices.Clone(instances))
			if err == nil && len(found) == 0 {
				err = fmt.Errorf("%s: %s shows nothing", name, expr)
			}
			for _, one := range found {
				if n, _ := strconv.ParseFloat(fmt.Sprint(one.Value[1]), 64); n != n {
					err = fmt.Errorf("%s: %s is not a number for %v", name, expr, one.Metric)
				}
			}
			return err
		})
	}
	eventually(t, func() error { // half of the keys are there
		hits, err := p.series(t, queries(t, d)["Hit ratio A"], slices.Clone(instances))
		if err != nil || len(hits) != 1 {
			return fmt.Errorf("the hit ratio is %v, %v", hits, err)
		}
		if n, err := strconv.ParseFloat(fmt.Sprint(hits[0].Value[1]), 64); err != nil || n < 0.4 || n > 0.6 {
			return fmt.Errorf("the hit ratio is %v, want 0.5", hits[0].Value[1])
		}
		return nil
	})
}
