package agent

import (
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
)

var (
	carol = User{Name: "hcarol", Group: "qmusers", Hash: "$6$x", Home: "/home/hcarol"}
	alice = User{Name: "halice", Hash: "$6$y", Home: "/home/halice"}
)

func TestUsersAreAppended(t *testing.T) {
	asRoot(t)
	for name, c := range map[string]struct {
		group, passwd string
		users         []User
		wantGroup     string
		wantPasswd    string
	}{
		"a group that exists, and one of its own": {
			"root:x:0:\nqmusers:x:995:root\n", "root:x:0:0:root:/root:/bin/sh\n",
			[]User{carol, alice},
			"root:x:0:\nqmusers:x:995:root\nhalice:x:20001:\n",
			"root:x:0:0:root:/root:/bin/sh\nhcarol:x:20000:995::/home/hcarol:/bin/sh\nhalice:x:20001:20001::/home/halice:/bin/sh\n",
		},
		"a group that is missing does not keep the user out": {
			"root:x:0:\n", "root:x:0:0:::\n",
			[]User{carol},
			"root:x:0:\nhcarol:x:20000:\n", "root:x:0:0:::\nhcarol:x:20000:20000::/home/hcarol:/bin/sh\n",
		},
		"without a last line end": {
			"qmusers:x:995:", "root:x:0:0:::",
			[]User{carol},
			"qmusers:x:995:", "root:x:0:0:::\nhcarol:x:20000:995::/home/hcarol:/bin/sh\n",
		},
		"numbers that are taken, by user or group": {
			"qmusers:x:995:\nother:x:20001:\n", "one:x:20000:1:::\n",
			[]User{carol},
			"qmusers:x:995:\nother:x:20001:\n", "one:x:20000:1:::\nhcarol:x:20002:995::/home/hcarol:/bin/sh\n",
		},
		"a user that exists already is left alone": {
			"qmusers:x:995:\n", "hcarol:x:7:7::/x:/bin/false\n",
			[]User{carol},
			"qmusers:x:995:\n", "hcarol:x:7:7::/x:/bin/false\n",
		},
		"lines that are none are passed over": {
			"# comment\nshort:x\nqmusers:x:many:\nqmusers:x:995:\nqmusers:x:996:\n", "\n",
			[]User{carol},
			"# comment\nshort:x\nqmusers:x:many:\nqmusers:x:995:\nqmusers:x:996:\n", "\nhcarol:x:20000:995::/home/hcarol:/bin/sh\n",
		},
		"empty files": {"", "", []User{alice}, "halice:x:20000:\n", "halice:x:20000:20000::/home/halice:/bin/sh\n"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			client, root := connected(t)
			put(t, root, "etc/group", c.group, 0o644)
			put(t, root, "etc/passwd", c.passwd, 0o644)
			put(t, root, "etc/shadow", "root:*:1::::::\n", 0o640)
			g.Expect(client.AddUsers(limited(t), c.users)).To(Succeed())
			g.Expect(text(t, root, "etc/group")).To(Equal(c.wantGroup))
			g.Expect(text(t, root, "etc/passwd")).To(Equal(c.wantPasswd))
			// Once more, as when a target is made from another: nobody comes twice.
			g.Expect(client.AddUsers(limited(t), c.users)).To(Succeed())
			g.Expect(text(t, root, "etc/passwd")).To(Equal(c.wantPasswd))
		})
	}
}

func TestAUserHasAPasswordAndAHome(t *testing.T) {
	asRoot(t)
	g := NewWithT(t)
	root := t.TempDir()
	put(t, root, "etc/group", "qmusers:x:995:\n", 0o644)
	put(t, root, "etc/passwd", "", 0o644)
	g.Expect(addUsers(root, []User{carol})).To(Succeed())
	g.Expect(text(t, root, "etc/shadow")).To(Equal("hcarol:$6$x:20000:0:99999:7:::\n"))
	info, err := os.Stat(filepath.Join(root, "etc", "shadow"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(info.Mode().Perm()&0o007).To(BeZero(), "hashes are not for everybody")
	e, err := stat(filepath.Join(root, "home", "hcarol"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect([]uint32{e.UID, e.GID}).To(Equal([]uint32{20000, 995}))
}

func TestWithoutTheFilesThereAreNoUsers(t *testing.T) {
	g := NewWithT(t)
	root := t.TempDir()
	g.Expect(addUsers(root, []User{carol})).NotTo(Succeed())
	put(t, root, "etc/group", "", 0o644)
	g.Expect(addUsers(root, []User{carol})).NotTo(Succeed())
}
