package observe

import (
	"context"
	"strings"
	"time"

	"qmconformance/harness/xinetd"
)

// Shipped is what a package itself brings of access rules, as the files have it.
type Shipped struct {
	Config xinetd.Config
	// Hosts are the lines of hosts.allow and hosts.deny that are rules, by file.
	Hosts map[string][]string
}

// ShippedRules reads the rules of the package.
var ShippedRules = &Look[Shipped]{
	Name: "shipped rules", Stage: AsShipped, Limit: 20 * time.Second,
	Take: shipped,
}

func shipped(ctx context.Context, s *Scene) (Shipped, error) {
	f := Shipped{Hosts: map[string][]string{}}
	var err error
	if f.Config, _, err = s.Configuration(ctx); err != nil {
		return f, err
	}
	if err := sources(ctx, s, f.Config); err != nil {
		return f, err
	}
	for _, name := range []string{"/etc/hosts.allow", "/etc/hosts.deny"} {
		text, err := readIfThere(ctx, s, name)
		if err != nil {
			return f, err
		}
		f.Hosts[name] = hostsRules(text)
		s.Evidence.Source(name, text)
	}
	return f, nil
}

// hostsRules are the lines that count: neither empty nor a comment, with those
// joined that a backslash continues.
func hostsRules(text string) (rules []string) {
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", "")) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			rules = append(rules, line)
		}
	}
	return rules
}
