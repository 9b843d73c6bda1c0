package observe

import (
	"context"
	"errors"
	"time"

	"qmconformance/harness/agent"
	"qmconformance/harness/netdb"
	"qmconformance/harness/process"
	"qmconformance/harness/requirement"
	"qmconformance/harness/target"
	"qmconformance/harness/xinetd"
)

// Configured is what is in force for a service, on all planes: xinetd's state,
// the files that led to it, the services database, and the kernel's listeners.
type Configured struct {
	Service requirement.Service
	// Effective is xinetd's own view, one entry for each definition that it took.
	Effective []xinetd.Settings
	// NoDump says why there is no state dump.
	NoDump string
	// Blocks are the service's blocks in the files, Config all of them.
	Blocks  []xinetd.Block
	Config  xinetd.Config
	Remarks []xinetd.Remark
	// Complaints are those of the start log that are about this service.
	Complaints []xinetd.Complaint
	// Named is what getservbyname(3) says in the target; Near what the services
	// file holds that comes close.
	Named     netdb.Service
	NamedOK   bool
	Near      []netdb.Near
	SisterSet netdb.Service
	SisterOK  bool
	// Accounts resolve the numbers of the state dump.
	Accounts Accounts
	// Listeners are the sockets on the service's port, with their holders.
	Port      uint16
	Listeners []Listener
	XinetdPID int
	// Program is the file that "server" leads to.
	Program     agent.Entry
	ProgramPath string
	ProgramErr  string
}

// Listener is a listening socket and who holds it.
type Listener struct {
	Socket  process.Socket
	Holders []process.Process
}

// Configuration is the look at a service's configuration in force.
var Configuration = &Look[Configured]{
	Name: "configured", Stage: AsShipped, Each: true, Limit: 30 * time.Second,
	Take: configured,
}

func configured(ctx context.Context, s *Scene) (Configured, error) {
	f := Configured{Service: s.Service, Port: s.Port, XinetdPID: s.Startup.Xinetd.Daemon.PID}
	text, err := s.Dump(ctx)
	switch {
	case errors.Is(err, target.ErrNoDump):
		f.NoDump = err.Error()
	case err != nil:
		return f, err
	default:
		dump, err := xinetd.ParseDump(text)
		if err != nil {
			f.NoDump = err.Error()
		}
		f.Effective = dump.Service(string(s.Service))
	}
	s.Evidence.Text("state-dump", text)

	if f.Config, f.Remarks, err = s.Configuration(ctx); err != nil {
		return f, err
	}
	f.Blocks = f.Config.Service(string(s.Service))
	log, err := s.ReadLog(ctx, target.LogMark{})
	if err != nil {
		return f, err
	}
	for _, c := range xinetd.ReadStartup(log.Records, &f.Config).Complaints {
		if c.Service == string(s.Service) {
			f.Complaints = append(f.Complaints, c)
		}
	}
	s.Evidence.Log("xinetd.log", log.Text)
	if err := sources(ctx, s, f.Config); err != nil {
		return f, err
	}

	if err := f.names(ctx, s); err != nil {
		return f, err
	}
	if f.Accounts, err = readAccounts(ctx, s); err != nil {
		return f, err
	}
	f.program(ctx, s)
	snap, err := s.Snapshot(ctx)
	if err != nil {
		return f, err
	}
	for _, socket := range snap.Listeners(s.Port) {
		f.Listeners = append(f.Listeners, Listener{socket, snap.Holders(socket.Inode)})
	}
	s.Evidence.Snapshot("listening", snap)
	return f, nil
}

// names asks the target's own getservbyname(3), through getent, which sees what
// nsswitch.conf and every other source make of the name.
func (f *Configured) names(ctx context.Context, s *Scene) error {
	var err error
	if f.Named, f.NamedOK, err = lookUp(ctx, s, s.Service); err != nil {
		return err
	}
	if f.SisterSet, f.SisterOK, err = lookUp(ctx, s, sister(s.Service)); err != nil {
		return err
	}
	text, err := readIfThere(ctx, s, "/etc/services")
	if err != nil {
		return err
	}
	s.Evidence.Source("/etc/services", text)
	f.Near = netdb.ParseServices(text).Near(string(s.Service), "tcp", int(s.Service.UsualPort()))
	return nil
}

func sister(s requirement.Service) requirement.Service {
	if s == requirement.QMServer {
		return requirement.QMClient
	}
	return requirement.QMServer
}

func lookUp(ctx context.Context, s *Scene, name requirement.Service) (netdb.Service, bool, error) {
	res, err := s.Command(ctx, "getent", "services", string(name)+"/tcp")
	if err != nil || !res.OK() {
		return netdb.Service{}, false, err
	}
	entry, ok := netdb.ParseServices(res.Output).ByName(string(name), "tcp")
	return entry, ok, nil
}

// program looks at the file that "server" names, in force or in the files.
func (f *Configured) program(ctx context.Context, s *Scene) {
	for _, e := range f.Effective {
		f.ProgramPath = e.Server
	}
	for _, b := range f.Blocks {
		if a, ok := b.Attribute("server"); ok && f.ProgramPath == "" && len(a.Values) > 0 {
			f.ProgramPath = a.Values[0]
		}
	}
	if f.ProgramPath == "" {
		f.ProgramErr = "no program is named"
		return
	}
	resolved, err := s.Resolve(ctx, f.ProgramPath)
	if err == nil {
		f.Program, err = s.Client.Stat(ctx, resolved)
	}
	if err != nil {
		f.ProgramErr = err.Error()
	}
}
