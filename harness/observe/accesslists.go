package observe

import (
	"context"
	"fmt"
	"net/netip"
	"time"
)

// Names of the trials of AddressRules.
const (
	OnlyFromInBlock    = "only-from-in-the-block"
	NoAccessInBlock    = "no-access-in-the-block"
	BothInBlock        = "both-lists-in-the-block"
	NobodyInBlock      = "an-empty-list-in-the-block"
	OnlyFromInDefaults = "only-from-in-the-defaults"
	NoAccessInDefaults = "no-access-in-the-defaults"
	FormCIDR           = "a-prefix-length"
	FormZeros          = "trailing-zeros"
	FormFactorised     = "a-factorised-list"
	FormIPv6           = "an-ipv6-prefix-length"
	FormIPv6Host       = "an-ipv6-address"
	FormMask           = "a-mask-in-dots"
	FormIPv6Single     = "an-ipv6-address-with-its-full-length"
	FormName           = "a-host-name"
	MoreSpecific       = "the-more-specific-entry"
)

// hostName is a name that only the target's hosts file knows.
const hostName = "gate.conformance.test"

// AddressRules tries the lists of addresses.
var AddressRules = &Look[Ruled]{
	Name: "address rules", Takes: 1300 * time.Millisecond, Stage: WithRules, Limit: 90 * time.Second,
	Take: func(ctx context.Context, s *Scene) (Ruled, error) {
		// In this order: no two of a family are neighbours, so that a prefix shorter than
		// the whole address holds the one without the other.
		return trials(ctx, s, []string{"A", "A6", "B", "B6", "C"}, addressRules)
	},
}

func addressRules(ctx context.Context, g *ground) error {
	a, b, c, a6, b6 := g.clients["A"], g.clients["B"], g.clients["C"], g.clients["A6"], g.clients["B6"]
	list := []struct {
		rules
		who []string
	}{
		{rules{name: OnlyFromInBlock, block: []string{"only_from = " + a.String()}}, []string{"A", "B", "C"}},
		{rules{name: NoAccessInBlock, block: []string{"no_access = " + a.String()}}, []string{"A", "B", "C"}},
		{rules{name: BothInBlock, block: []string{fmt.Sprintf("only_from = %v %v", a, b), "no_access = " + b.String()}}, []string{"A", "B", "C"}},
		{rules{name: NobodyInBlock, block: []string{"only_from ="}}, []string{"A"}},
		{rules{name: OnlyFromInDefaults, defaults: []string{"only_from = " + a.String()}}, []string{"A", "B"}},
		{rules{name: NoAccessInDefaults, defaults: []string{"no_access = " + a.String()}}, []string{"A", "B"}},
		{rules{name: FormCIDR, block: []string{"only_from = " + apart(a, b).String()}}, []string{"A", "B"}},
		{rules{name: FormZeros, block: []string{"only_from = " + zeros(a, 0).String(), "no_access = " + zeros(a, 1).String()}}, []string{"A", "B"}},
		{rules{name: FormFactorised, block: []string{"only_from = " + factorised(a, b)}}, []string{"A", "B", "C"}},
		{rules{name: FormMask, block: []string{fmt.Sprintf("only_from = %v/255.255.255.255", a)}}, []string{"A", "B"}},
		{rules{
			name: FormName, block: []string{"only_from = " + hostName},
			files: map[string][]string{"/etc/hosts": {a.String() + " " + hostName}},
		}, []string{"A", "B"}},
		{rules{name: MoreSpecific, block: []string{"only_from = " + a.String(), fmt.Sprintf("no_access = %v/24", zeros(a, 0))}}, []string{"A", "B"}},
	}
	if a6.IsValid() {
		// Last, since a target's address may be tentative for its first seconds.
		list = append(list, []struct {
			rules
			who []string
		}{
			{rules{name: FormIPv6, block: []string{"only_from = " + apart(a6, b6).String()}}, []string{"A6", "B6", "C"}},
			{rules{name: FormIPv6Host, block: []string{fmt.Sprintf("only_from = %v %v", a6, c)}}, []string{"A6", "B6", "C"}},
			{rules{name: FormIPv6Single, block: []string{fmt.Sprintf("only_from = %v/128", a6)}}, []string{"A6", "B6"}},
		}...)
	}
	for _, t := range list {
		if t.name == FormIPv6 {
			if err := g.s.AwaitIPv6(ctx); err != nil {
				return err
			}
		}
		err := g.under(ctx, t.rules, func(ctx context.Context, d *during) error { return d.everybody(ctx, t.who...) })
		if err != nil {
			return err
		}
	}
	return nil
}

// apart is the shortest prefix that holds in and not out.
func apart(in, out netip.Addr) netip.Prefix {
	bits := 0
	for netip.PrefixFrom(in, bits).Contains(out) && bits < in.BitLen() {
		bits++
	}
	p, _ := in.Prefix(bits)
	return p
}

// zeros is the address of a /24 by its trailing zero: that of a, or another one.
func zeros(a netip.Addr, other byte) netip.Addr {
	b := a.As4()
	b[2], b[3] = b[2]^other, 0
	return netip.AddrFrom4(b)
}

// factorised is the list of two addresses of one /24, 10.1.2.{3,4}.
func factorised(a, b netip.Addr) string {
	x, y := a.As4(), b.As4()
	return fmt.Sprintf("%d.%d.%d.{%d,%d}", x[0], x[1], x[2], x[3], y[3])
}
