package access

import (
	"fmt"
	"slices"
	"strings"

	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/verdict"
	"qmconformance/harness/xinetd"
)

// own names the line of the service's block that answers for itself what an
// administrator sets for the whole host; nothing where there is none.
func own(c judge.Case, f observe.Ruled, attributes ...string) string {
	for _, b := range inForceOf(c, f.Own.Config) {
		for _, name := range attributes {
			if a, set := b.Attribute(name); set {
				return fmt.Sprintf("%s:%d: remove %q, which holds in place of what is set for the whole host", a.File, a.Line, strings.TrimSpace(a.Text))
			}
		}
	}
	return ""
}

func withOwn(v verdict.Finding, c judge.Case, f observe.Ruled, attribute string) verdict.Finding {
	if v.Kind == verdict.Fail && v.Hint == "" {
		v.Hint = own(c, f, attribute)
	}
	return v
}

// tooLate names a defaults block that is read when the service has been.
func tooLate(c judge.Case, f observe.Ruled) string {
	all := f.Own.Config.Blocks
	service := slices.IndexFunc(all, func(b xinetd.Block) bool { return b.Service == string(c.Service) && b.Dropped == "" })
	for i, b := range all {
		if b.IsDefaults() && service >= 0 && i > service {
			return fmt.Sprintf("%s:%d: move the defaults block above what includes %s: a service inherits only what was read before it", b.File, b.Line, all[service].File)
		}
	}
	return ""
}

func inForceOf(c judge.Case, config xinetd.Config) []xinetd.Block {
	return slices.DeleteFunc(slices.Clone(config.Service(string(c.Service))), func(b xinetd.Block) bool { return b.Dropped != "" })
}
