package observe

import (
	"testing"
	"testing/fstest"

	. "github.com/onsi/gomega"
)

func TestAUnitThatEndsSessions(t *testing.T) {
	const debian = "usr/lib/systemd/system/xinetd.service"
	unit := &fstest.MapFile{Data: []byte("[Service]\nType=simple\nExecStart=/usr/sbin/xinetd -stayalive -dontfork\n")}
	sparing := &fstest.MapFile{Data: []byte("[Service]\nKillMode=process\n")}
	other := &fstest.MapFile{Data: []byte("[Service]\n# KillMode=process\nNice=1\n")}
	for name, c := range map[string]struct {
		files fstest.MapFS
		own   []string
		ends  bool
	}{
		"Debian 12":         {files: fstest.MapFS{"etc/init.d/xinetd": other}},
		"Debian 13":         {files: fstest.MapFS{debian: unit}, ends: true},
		"spared":            {files: fstest.MapFS{debian: unit, "etc/systemd/system/xinetd.service.d/qm.conf": sparing}},
		"spared for all":    {files: fstest.MapFS{debian: unit, "etc/systemd/system/service.d/qm.conf": sparing}},
		"another drop-in":   {files: fstest.MapFS{debian: unit, "etc/systemd/system/xinetd.service.d/qm.conf": other}, ends: true},
		"no drop-in":        {files: fstest.MapFS{debian: unit, "etc/systemd/system/xinetd.service.d/qm.conf.off": sparing}, ends: true},
		"spared by itself":  {files: fstest.MapFS{debian: sparing}},
		"the package's own": {files: fstest.MapFS{debian: unit}, own: []string{"/" + debian}},
		"in its place":      {files: fstest.MapFS{debian: unit, "etc/systemd/system/xinetd.service": unit}},
	} {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(UnitEndsSessions(c.files, c.own)).To(Equal(c.ends))
		})
	}
}
