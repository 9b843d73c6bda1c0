package xinetd

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func replace(from, to string) string {
	if !strings.Contains(referenceClient, from) {
		panic("the reference has no " + from)
	}
	return strings.Replace(referenceClient, from, to, 1)
}

func TestReferenceHasNoRemarks(t *testing.T) {
	config, remarks := Parse(withClient(referenceClient), "/etc/xinetd.conf")
	if len(remarks) != 0 {
		t.Errorf("remarks %v", remarks)
	}
	blocks := config.Service("qmclient")
	if len(blocks) != 1 || blocks[0].Line != 1 || blocks[0].End != 16 || blocks[0].File != "/etc/xinetd.d/qmclient" || blocks[0].Dropped != "" {
		t.Fatalf("blocks %+v", blocks)
	}
	args, ok := blocks[0].Attribute("server_args")
	if !ok || !slices.Equal(args.Values, []string{"-n", "-q"}) || args.Line != 12 || args.Operator != "=" {
		t.Errorf("server_args %+v", args)
	}
	if a, _ := blocks[0].Attribute("log_on_failure"); a.Operator != "+=" {
		t.Errorf("log_on_failure %+v", a)
	}
	if len(config.Defaults()) != 1 || !slices.Equal(config.Files, []string{"/etc/xinetd.conf", "/etc/xinetd.d/qmclient"}) {
		t.Errorf("config %+v", config)
	}
	if !blocks[0].EnabledAfter(9) || blocks[0].EnabledAfter(15) {
		t.Error("disable = no in line 15 comes after line 9 only")
	}
}

// TestSlips holds one slip each, and what Where says about the attribute.
func TestSlips(t *testing.T) {
	for name, test := range map[string]struct {
		client    string
		kind      RemarkKind
		attribute string
		line      int
		hint      string
		dropped   bool
	}{
		"misspelt":        {replace("umask", "unmask"), Misspelt, "umask", 10, "umask", false},
		"swapped letters": {replace("umask", "umaks"), Misspelt, "umask", 10, "umask", false},
		"unknown":         {replace("umask", "permissions"), UnknownAttribute, "permissions", 10, "", false},
		"no blank":        {replace("umask           = 002", "umask=002"), NoBlank, "umask", 10, "umask = VALUE", true},
		"no operator":     {replace("umask           = 002", "umask 002"), BadOperator, "umask", 10, "whole block", true},
		"comment":         {replace("= 002", "= 002 # text"), TrailingComment, "umask", 10, "own", false},
		"args comment":    {replace("-n -q", "-n -q # API"), TrailingComment, "server_args", 12, "own", false},
		"quoted":          {replace("-n -q", `"-n -q"`), Quoted, "server_args", 12, "quoting", false},
		"count":           {replace("= 002", "= 0 0 2"), WrongCount, "umask", 10, "", false},
		"twice":           {replace("\tserver_args", "\tumask = 022\n\tserver_args"), AlreadySet, "umask", 10, "", false},
		"plus":            {replace("group           =", "group +="), WrongOperator, "group", 9, "=", false},
		"flag":            {replace("REUSE", "REUSED"), BadValue, "flags", 4, "REUSE", false},
		"boolean":         {replace("groups          = yes", "groups = true"), BadValue, "groups", 7, "yes", false},
		"section":         {replace("\tserver_args", "\tdisabled = x\n\tserver_args"), WrongSection, "disabled", 12, "", false},
		"open brace":      {replace("qmclient\n{", "qmclient {"), MissingOpen, "umask", 9, "own", true},
		"close brace":     {replace("}\n", ""), MissingClose, "umask", 10, "own", true},
		"byte order mark": {"\ufeff" + referenceClient, StrayLine, "umask", 10, "closing brace", true},
		"keyword":         {replace("service", "sevrice"), StrayLine, "umask", 10, "service is meant", true},
		"CRLF":            {strings.ReplaceAll(referenceClient, "\n", "\r\n"), CarriageReturn, "umask", 10, "dos2unix", false},
	} {
		t.Run(name, func(t *testing.T) {
			config, remarks := Parse(withClient(test.client), "/etc/xinetd.conf")
			i := slices.IndexFunc(remarks, func(r Remark) bool { return r.Kind == test.kind })
			if i < 0 {
				t.Fatalf("no %s among %v", test.kind, remarks)
			}
			if !strings.Contains(remarks[i].Hint, test.hint) || remarks[i].File != "/etc/xinetd.d/qmclient" {
				t.Errorf("remark %+v", remarks[i])
			}
			file, line, text, ok := config.Where("qmclient", test.attribute)
			if file != "/etc/xinetd.d/qmclient" || line != test.line || text == "" || !ok {
				t.Errorf("%s is at %s:%d %q %v", test.attribute, file, line, text, ok)
			}
			if b, ok := config.BlockAt(file, line); !ok || b.Service != "qmclient" {
				t.Errorf("line %d is in block %+v", line, b)
			}
			blocks := config.Service("qmclient")
			if len(blocks) != 1 || (blocks[0].Dropped != "") != test.dropped {
				t.Errorf("blocks %+v", blocks)
			}
		})
	}
}

func TestCarriageReturnStaysInValues(t *testing.T) {
	config, _ := Parse(withClient(strings.ReplaceAll(referenceClient, "\n", "\r\n")), "/etc/xinetd.conf")
	if a, _ := config.Service("qmclient")[0].Attribute("protocol"); !slices.Equal(a.Values, []string{"tcp\r"}) {
		t.Errorf("protocol %q", a.Values)
	}
}

func TestDisableEndsTheBlock(t *testing.T) {
	client := "service qmclient\n{\n id = x\n disable = YES\n nonsense=1\n}\nservice after\n{\n}\n"
	config, remarks := Parse(withClient(client), "/etc/xinetd.conf")
	blocks := config.Service("x")
	if len(remarks) != 0 || len(blocks) != 1 || !blocks[0].Disabled || blocks[0].Dropped != "" || len(config.Service("after")) != 1 {
		t.Errorf("blocks %+v, remarks %v", config.Blocks, remarks)
	}
}

func TestIncludedir(t *testing.T) {
	files := tree(
		"/etc/xinetd.conf", "include /etc/first\nincludedir /etc/xinetd.d\nincludedir /nosuch\n",
		"/etc/first", "# nothing\n\n",
		"/etc/xinetd.d/b", "service b\n{\n}\n",
		"/etc/xinetd.d/B", "service B\n{\n}\n",
		"/etc/xinetd.d/#qm#", "service hash\n{\n}\n",
		"/etc/xinetd.d/qmclient.conf", referenceClient,
		"/etc/xinetd.d/qmclient~", referenceClient,
		"/etc/xinetd.d/.hidden", "",
		"/etc/xinetd.d/sub/file", "service sub\n{\n}\n",
	)
	files["etc/xinetd.d/dangling"] = &danglingLink
	config, remarks := Parse(files, "/etc/xinetd.conf")
	want := []string{"/etc/xinetd.conf", "/etc/first", "/etc/xinetd.d/#qm#", "/etc/xinetd.d/B", "/etc/xinetd.d/b"}
	if !slices.Equal(config.Files, want) {
		t.Errorf("files %v, want %v", config.Files, want)
	}
	var skipped, named []string
	for _, s := range config.Skipped {
		skipped = append(skipped, s.File)
	}
	for _, r := range remarks {
		named = append(named, string(r.Kind)+" "+r.File)
	}
	if !slices.Equal(skipped, []string{
		"/etc/xinetd.d/.hidden", "/etc/xinetd.d/dangling", "/etc/xinetd.d/qmclient.conf", "/etc/xinetd.d/qmclient~", "/etc/xinetd.d/sub",
	}) {
		t.Errorf("skipped %v", skipped)
	}
	if !slices.Equal(named, []string{
		"skipped-file /etc/xinetd.d/dangling", "skipped-file /etc/xinetd.d/qmclient.conf", "skipped-file /etc/xinetd.d/qmclient~",
		"unreadable /etc/xinetd.conf",
	}) {
		t.Errorf("remarks %v", named)
	}
}

func TestBetweenBlocks(t *testing.T) {
	config, remarks := Parse(tree(
		"/etc/xinetd.conf", "includedir /etc/xinetd.d\ndefaults\n{\n only_from = 10.0.0.1\n umask = 077\n}\n",
		"/etc/xinetd.d/a", referenceClient, "/etc/xinetd.d/b", referenceClient,
	), "/etc/xinetd.conf")
	var kinds []RemarkKind
	for _, r := range remarks {
		kinds = append(kinds, r.Kind)
	}
	if !slices.Equal(kinds, []RemarkKind{TwoBlocks, LateDefaults}) {
		t.Errorf("remarks %v", remarks)
	}
	if remarks[0].Place() != "/etc/xinetd.d/b:1" || remarks[1].Place() != "/etc/xinetd.conf:4" {
		t.Errorf("places %v", remarks)
	}
	// set in the defaults only
	if file, line, _, ok := config.Where("qmclient", "only_from"); file != "/etc/xinetd.conf" || line != 4 || !ok {
		t.Errorf("only_from at %s:%d", file, line)
	}
	// set nowhere
	if file, line, _, ok := config.Where("qmclient", "nice"); file != "/etc/xinetd.d/a" || line != 1 || ok {
		t.Errorf("nice at %s:%d", file, line)
	}
	if file, _, _, ok := config.Where("nosuch", "umask"); file != "" || ok {
		t.Errorf("a service that isn't there is in %s", file)
	}
}

func TestIncludeLoopEnds(t *testing.T) {
	_, remarks := Parse(tree("/a", "include /a\n"), "/a")
	if len(remarks) != 1 || remarks[0].Kind != IncludeLoop {
		t.Errorf("remarks %v", remarks)
	}
}

// A file that includes itself n times is read n times as often at each depth.
func TestIncludesThatMultiplyEnd(t *testing.T) {
	config, remarks := Parse(tree("/a", strings.Repeat("include /a\n", 50)), "/a")
	if len(config.Files) != mostFiles {
		t.Errorf("%d files were read", len(config.Files))
	}
	full := 0
	for _, r := range remarks {
		if r.Kind != IncludeLoop {
			t.Errorf("remark %v", r)
		}
		if strings.Contains(r.Text, "more are included") {
			full++
		}
	}
	if full != 1 {
		t.Errorf("said %d times that there are too many", full)
	}
}

func TestMissingFile(t *testing.T) {
	_, remarks := Parse(tree(), "/etc/xinetd.conf")
	if len(remarks) != 1 || remarks[0].Kind != Unreadable {
		t.Errorf("remarks %v", remarks)
	}
}

// danglingLink stands for a link to nowhere: a file that can't be examined.
var danglingLink = fstest.MapFile{Mode: fs.ModeSymlink, Data: []byte("nowhere")}

func TestTheTextOfAnAttributeIsForPeople(t *testing.T) {
	config, _ := Parse(withClient(replace("umask           = 002", "umask\t\t=   022 ")), "/etc/xinetd.conf")
	if a, _ := config.Service("qmclient")[0].Attribute("umask"); a.Text != "umask = 022" {
		t.Errorf("%q", a.Text)
	}
}
