package xinetd

import (
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
)

// releases are the Debian releases whose xinetd wrote the samples in testdata.
var releases = []string{"bookworm", "trixie"}

func sample(t testing.TB, path ...string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(append([]string{"testdata"}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

const mainFile = "defaults\n{\n\tlog_type = SYSLOG daemon info\n}\n\nincludedir /etc/xinetd.d\n"

// referenceClient is the sample service file; the faults are edits of it.
const referenceClient = `service qmclient
{
	protocol        = tcp
	flags           = REUSE
	socket_type     = stream
	wait            = no
	groups          = yes
	user            = root
	group           = qmusers
	umask           = 002
	server          = /usr/qmsys/bin/qm
	server_args     = -n -q
	log_on_failure  += USERID
	
	disable         = no
}
`

// tree builds a file system from pairs of absolute name and content.
func tree(pairs ...string) fstest.MapFS {
	files := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		files[inFS(pairs[i])] = &fstest.MapFile{Data: []byte(pairs[i+1]), Mode: 0o644}
	}
	return files
}

// withClient is a complete configuration with that text as service file.
func withClient(client string) fstest.MapFS {
	return tree("/etc/xinetd.conf", mainFile, "/etc/xinetd.d/qmclient", client)
}
