package box

import (
	"strings"
	"testing"
)

func TestTheContainersIDIsInItsMounts(t *testing.T) {
	id := strings.Repeat("0123456789abcdef", 4)
	other := strings.Repeat("f", 64)
	for name, c := range map[string]struct{ mounts, want string }{
		"on a host": {"22 1 254:1 / / rw - ext4 /dev/vda1 rw\n23 22 0:20 / /proc rw - proc proc rw\n", ""},
		"Docker's": {
			"900 800 0:50 / / rw - overlay overlay rw\n" +
				"910 900 254:1 /var/lib/docker/containers/" + id + "/resolv.conf /etc/resolv.conf rw - ext4 /dev/vda1 rw\n", id,
		},
		"on a disk of its own": {"910 900 254:9 /docker/containers/" + id + "/hostname /etc/hostname rw - ext4 /dev/vdb rw\n", id},
		"Podman's":             {"910 900 254:9 /containers/storage/overlay-containers/" + id + "/userdata/hosts /etc/hosts rw - ext4 /dev/vdb rw\n", id},
		"a volume that looks like one": {
			"910 900 254:1 /var/lib/docker/containers/" + other + "/hostname /mnt/hostname rw - ext4 /dev/vda1 rw\n", "",
		},
		"a short name": {"910 900 254:1 /var/lib/docker/containers/abc/hostname /etc/hostname rw - ext4 /dev/vda1 rw\n", ""},
		"damaged":      {"\n1 2 3\n", ""},
	} {
		if got := idIn(c.mounts); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestTheCommandStartsTheSameAgain(t *testing.T) {
	b := &Box{Mounts: []string{"/var/run/docker.sock:/var/run/docker.sock", "/my/pkg:/pkg:ro"}, Reference: "conformance:1", HostNetwork: true, User: "1000", Groups: []string{"998"}}
	want := "docker run --rm --network=host --user=1000 --group-add=998 -v /var/run/docker.sock:/var/run/docker.sock -v /my/pkg:/pkg:ro conformance:1"
	if got := strings.Join(b.Command(), " "); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
