package access

import (
	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/verdict"
	"qmconformance/harness/xinetd"
)

var _ = judge.Section(area, "addresses", func() {
	judge.On("ACCESS-01", observe.AddressRules, listsInBlock)
	judge.On("ACCESS-02", observe.AddressRules, listsInDefaults)
	judge.On("ACCESS-03", observe.AddressRules, documentedForms)
	judge.On("ACCESS-04", observe.AddressRules, formsTakenInSilence)
	judge.On("ACCESS-05", observe.AddressRules, hostNames)
	judge.On("ACCESS-06", observe.AddressRules, moreSpecific)
})

const address = xinetd.ReasonAddress

func listsInBlock(c judge.Case, f observe.Ruled) verdict.Finding {
	return verdict.First(
		ruled(f, c.Service, observe.OnlyFromInBlock, due{"A": served, "B": address, "C": address}),
		ruled(f, c.Service, observe.NoAccessInBlock, due{"A": address, "B": served, "C": served}),
		ruled(f, c.Service, observe.BothInBlock, due{"A": served, "B": address, "C": address}),
		ruled(f, c.Service, observe.NobodyInBlock, due{"A": address}),
	)
}

func listsInDefaults(c judge.Case, f observe.Ruled) verdict.Finding {
	v := verdict.First(
		ruled(f, c.Service, observe.OnlyFromInDefaults, due{"A": served, "B": address}),
		ruled(f, c.Service, observe.NoAccessInDefaults, due{"A": address, "B": served}),
	)
	if v.Kind == verdict.Fail && v.Hint == "" {
		v.Hint = own(c, f, "only_from", "no_access")
	}
	if v.Kind == verdict.Fail && v.Hint == "" {
		v.Hint = tooLate(c, f)
	}
	if v.Kind == verdict.Fail && v.Hint == "" {
		v.Hint = "a service inherits the lists of a defaults block that is read before it, and only where its own block sets none with ="
	}
	return v
}

func documentedForms(c judge.Case, f observe.Ruled) verdict.Finding {
	findings := []verdict.Finding{
		ruled(f, c.Service, observe.FormCIDR, due{"A": served, "B": address}),
		ruled(f, c.Service, observe.FormZeros, due{"A": served, "B": served}),
		ruled(f, c.Service, observe.FormFactorised, due{"A": served, "B": served, "C": address}),
	}
	if _, tried := f.Trials[observe.FormIPv6]; tried && !f.Places[c.Service].IPv4Only {
		findings = append(findings,
			ruled(f, c.Service, observe.FormIPv6, due{"A6": served, "B6": address, "C": address}),
			ruled(f, c.Service, observe.FormIPv6Host, due{"A6": served, "B6": address, "C": served}))
	}
	return verdict.First(findings...)
}

func formsTakenInSilence(c judge.Case, f observe.Ruled) verdict.Finding {
	if f.Places[c.Service].IPv4Only {
		// A mask of a single address matches it there, by luck.
		return verdict.Absent("the service is for IPv4 alone")
	}
	findings := []verdict.Finding{ruled(f, c.Service, observe.FormMask, due{"A": served, "B": address})}
	if _, tried := f.Trials[observe.FormIPv6Single]; tried {
		findings = append(findings, ruled(f, c.Service, observe.FormIPv6Single, due{"A6": served, "B6": address}))
	}
	return verdict.First(findings...)
}

func hostNames(c judge.Case, f observe.Ruled) verdict.Finding {
	if f.Places[c.Service].IPv4Only {
		// What goes wrong with names is about the mapped addresses of a listener for
		// both families.
		return verdict.Absent("the service is for IPv4 alone")
	}
	return ruled(f, c.Service, observe.FormName, due{"A": served, "B": address})
}

func moreSpecific(c judge.Case, f observe.Ruled) verdict.Finding {
	return ruled(f, c.Service, observe.MoreSpecific, due{"A": served, "B": address})
}
