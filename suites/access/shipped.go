package access

import (
	"fmt"
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
	"qmconformance/harness/xinetd"
)

var _ = judge.Section(area, "rules of the package's own", func() {
	judge.On("ACCESS-07", observe.ShippedRules, asItReads)
})

// asItReads judges the rules that a package brings: each must match whom a reader
// takes it for.
func asItReads(c judge.Case, f observe.Shipped) verdict.Finding {
	const expected = "no rule that reads otherwise than it works"
	checked := 0
	for _, b := range slices.Concat(f.Config.Service(string(c.Service)), f.Config.Defaults()) {
		for _, a := range b.Attributes {
			if a.Name != "only_from" && a.Name != "no_access" || a.Ignored != "" {
				continue
			}
			for _, value := range a.Values {
				checked++
				if means, instead := slip(strings.TrimRight(value, "\r")); means != "" {
					return verdict.Violated(expected, fmt.Sprintf("%s:%d: %s: %s %s", a.File, a.Line, a.Text, value, means), instead).At(a.File, a.Line)
				}
			}
		}
	}
	name := daemon(f.Config, c.Service)
	for _, file := range []string{"/etc/hosts.allow", "/etc/hosts.deny"} {
		for _, rule := range f.Hosts[file] {
			checked++
			daemons, _, _ := strings.Cut(rule, ":")
			if slices.Contains(strings.FieldsFunc(daemons, func(r rune) bool { return r == ' ' || r == ',' || r == '\t' }), string(c.Service)) && name != string(c.Service) {
				return verdict.Violated(expected, fmt.Sprintf("%s: %s: nothing has that name for TCP wrappers", file, rule),
					fmt.Sprintf("write %s, the name of the program that xinetd starts, for both ports", name)).At(file, 0)
			}
		}
	}
	return verdict.Kept(expected, fmt.Sprintf("%d entries", checked))
}

// daemon is the name that TCP wrappers know a service by.
func daemon(c xinetd.Config, s requirement.Service) string {
	for _, b := range c.Service(string(s)) {
		if a, ok := b.Attribute("libwrap"); ok && len(a.Values) > 0 {
			return a.Values[0]
		}
		if a, ok := b.Attribute("server"); ok && len(a.Values) > 0 {
			return path.Base(a.Values[0])
		}
	}
	return "qm"
}

// fewOctets is an address with less than its four parts, and no zero at its end
// that would make a network of it.
var fewOctets = regexp.MustCompile(`^\d+(\.\d+){0,2}\.?$`)

// slip says what an entry of a list means where that is not what it reads like,
// and what to write instead.
func slip(value string) (means, instead string) {
	network, bits, slashed := strings.Cut(value, "/")
	address, err := netip.ParseAddr(network)
	length, number := strconv.Atoi(bits)
	switch {
	case strings.EqualFold(value, "ALL"):
		return "is a word of hosts.deny and no address: the list matches nobody by it", "write 0.0.0.0/0 ::/0"
	case slashed && strings.Contains(bits, "."):
		return "matches nobody: xinetd takes the mask for a number", "write the mask as a prefix length, /24 for 255.255.255.0"
	case slashed && err == nil && (number != nil || length > address.BitLen()):
		return "matches nobody: there is no such prefix length", "write a prefix length that the address can have"
	case slashed && err == nil && address.Is6() && length == address.BitLen():
		return "matches nobody: xinetd takes one IPv6 address with its full length for a host name", "write the address without the slash"
	case !slashed && err == nil && address.Is6() && address.IsUnspecified():
		return "matches nobody: it is one address that no client has", "write ::/0"
	case !slashed && fewOctets.MatchString(value):
		return "is no prefix: the parts that are missing are filled in before the last one (10.1 is 10.0.0.1)", "write trailing zeros, or a prefix length"
	}
	return "", ""
}
