package services

import (
	"testing/fstest"

	"qmconformance/harness/netdb"
	"qmconformance/harness/observe"
	"qmconformance/harness/process"
	"qmconformance/harness/requirement"
	"qmconformance/harness/telnet"
	"qmconformance/harness/wire"
	"qmconformance/harness/xinetd"
)

// block is a service block as the reference has it, on the lines 3 to 16 of
// /etc/xinetd.d/qmserver; line 1 is a comment.
const block = `# The users' port.

service qmserver
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
	server_args     = -n
	log_on_failure  += USERID
}
`

// files parses a configuration of which text is /etc/xinetd.d/qmserver.
func files(text string) (xinetd.Config, []xinetd.Remark) {
	return xinetd.Parse(fstest.MapFS{
		"etc/xinetd.conf":       {Data: []byte("defaults\n{\n\tlog_type = SYSLOG daemon\n}\nincludedir /etc/xinetd.d\n")},
		"etc/xinetd.d/qmserver": {Data: []byte(text)},
	}, "/etc/xinetd.conf")
}

func set(n int) xinetd.Optional { return xinetd.Optional{Set: true, Value: n} }

// inForce is the service as xinetd's state has it in the reference.
func inForce() xinetd.Settings {
	return xinetd.Settings{
		Service: "qmserver", ID: "qmserver", State: "Active", Flags: []string{"REUSE", "IPv4"}, SocketType: "stream", Protocol: "tcp",
		Wait: "no", Groups: "yes", User: set(0), Group: set(995), Umask: set(0o002), Server: "/usr/qmsys/bin/qm", Argv: []string{"qm", "-n"},
		Log: xinetd.LogTarget{Kind: xinetd.LogSyslog}, OnFailure: []string{"HOST", "USERID"}, Port: set(4242),
	}
}

// configured is the reference's configuration, changed.
func configured(change func(*observe.Configured)) observe.Configured {
	f := observe.Configured{
		Service: requirement.QMServer, Effective: []xinetd.Settings{inForce()}, Port: 4242, XinetdPID: 73,
		Named: netdb.Service{Name: "qmserver", Port: 4242, Protocol: "tcp"}, NamedOK: true,
		SisterSet: netdb.Service{Name: "qmclient", Port: 4243, Protocol: "tcp"}, SisterOK: true,
		Accounts: observe.Accounts{
			Groups: netdb.ParseGroups("root:x:0:\nqmusers:x:995:root\nalso:x:995:\nother:x:50:\n"),
			Users:  netdb.ParseUsers("root:x:0:0:::\ndaemon:x:1:1:::\n"),
		},
		Listeners: []observe.Listener{{
			Socket:  process.Socket{State: process.StateListen, Inode: 1},
			Holders: []process.Process{{PID: 73, Comm: "xinetd"}},
		}},
		ProgramPath: "/usr/qmsys/bin/qm",
	}
	f.Program.Path, f.Program.Mode = "/usr/qmsys/bin/qm", 0o775
	f.Config, f.Remarks = files(block)
	f.Blocks = f.Config.Service("qmserver")
	if change != nil {
		change(&f)
	}
	return f
}

// written changes the files as well as what is in force.
func written(text string, change func(*xinetd.Settings)) observe.Configured {
	return configured(func(f *observe.Configured) {
		f.Config, f.Remarks = files(text)
		f.Blocks = f.Config.Service("qmserver")
		change(&f.Effective[0])
	})
}

// gone is a service that xinetd does not have, by files and complaints.
func gone(text string, complaints ...xinetd.Complaint) observe.Configured {
	return configured(func(f *observe.Configured) {
		f.Effective, f.Listeners = nil, nil
		f.Config, f.Remarks = files(text)
		f.Blocks = f.Config.Service("qmserver")
		f.Complaints = complaints
	})
}

// contacted is a conversation that went well, changed.
func contacted(change func(*observe.Contacted)) observe.Contacted {
	f := observe.Contacted{
		Service: requirement.QMServer, Connected: true, Opening: wire.Outcome{Result: wire.Enough},
		Telnet: &telnet.Greeting{Text: "Username: "},
	}
	if change != nil {
		change(&f)
	}
	return f
}
