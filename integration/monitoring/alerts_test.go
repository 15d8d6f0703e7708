package monitoring_test

import (
	"fmt"
	"testing"
)

// TestAlerts_FireWhenTheyShould runs the rules' own tests, which are beside them.
func TestAlerts_FireWhenTheyShould(t *testing.T) {
	t.Parallel()
	p := startPrometheus(t)
	for _, args := range [][]string{
		{"check", "config", "/prometheus.yml"}, {"check", "rules", "/alerts.yml"}, {"test", "rules", "/alerts_test.yml"},
	} {
		if output, ok := p.promtool(t, args...); !ok {
			t.Errorf("promtool %q:\n%s", args, output)
		}
	}
}

// TestAlerts_OfADeadServer: Prometheus loads the rules, and notices.
func TestAlerts_OfADeadServer(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	p := startPrometheus(t, s.address)
	eventually(t, func() error {
		var data struct {
			Groups []struct {
				Rules []struct{ Name, Health, LastError, State string }
			}
		}
		if err := p.get(t.Context(), "/api/v1/rules", nil, &data); err != nil {
			return err
		}
		n := 0
		for _, group := range data.Groups {
			for _, rule := range group.Rules {
				n++
				if rule.Health != "ok" || rule.State != "inactive" {
					return fmt.Errorf("%s is %s, %s: %s", rule.Name, rule.State, rule.Health, rule.LastError)
				}
			}
		}
		if n < 8 {
			return fmt.Errorf("%d rules, want 8", n)
		}
		return nil
	})
	s.servers[1].Kill()
	eventually(t, func() error {
		var data struct {
			Alerts []struct {
				Labels map[string]string
				State  string
			}
		}
		if err := p.get(t.Context(), "/api/v1/alerts", nil, &data); err != nil {
			return err
		}
		for _, alert := range data.Alerts {
			if alert.Labels["alertname"] == "MemcachedServerDown" && alert.Labels["server"] == s.servers[1].Addr() {
				return nil
			}
		}
		return fmt.Errorf("no alert for %s: %v", s.servers[1].Addr(), data.Alerts)
	})
}
