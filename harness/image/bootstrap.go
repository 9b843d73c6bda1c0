package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"

	"github.com/moby/moby/client"

	"qmconformance/docker"
)

// fromPackages makes the base with the embedded script. Its archive goes
// straight into the daemon, and the image gets its name only when the script has
// ended well: a half archive would be imported without a complaint.
func (s *Store) fromPackages(ctx context.Context, release, ref, hash string) error {
	ctx, cancel := context.WithTimeout(ctx, LimitBootstrap)
	defer cancel()
	in, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := s.bootstrap(ctx, release, out)
		out.CloseWithError(err)
		ended <- err
	}()
	labels := labelsOf(KindBase, hash)
	labels[LabelSource] = "packages"
	var changes []string
	for k, v := range labels {
		changes = append(changes, fmt.Sprintf("LABEL %q=%q", k, v))
	}
	res, err := s.docker.ImageImport(ctx, client.ImageImportSource{Source: in, SourceName: "-"}, "",
		client.ImageImportOptions{Message: "made from Debian packages", Changes: changes})
	var id string
	if err == nil {
		id, err = s.messages(res)
		res.Close()
	}
	in.CloseWithError(errors.New("the import has ended"))
	if serr := <-ended; serr != nil {
		// Unless the daemon failed first, the script's error is the cause.
		if !errors.Is(serr, errImport) || err == nil {
			return serr
		}
	}
	if err != nil {
		return classify(err, "import the Debian base", LimitBootstrap)
	}
	_, err = s.docker.ImageTag(ctx, client.ImageTagOptions{Source: id, Target: ref})
	return classify(err, "tag "+ref, LimitBootstrap)
}

// errImport marks a script that failed because nobody took its archive.
var errImport = errors.New("the archive was not taken")

func (s *Store) bootstrap(ctx context.Context, release string, archive io.Writer) error {
	var said tail
	cmd := exec.CommandContext(ctx, "/bin/sh", "-s", "--", release)
	cmd.Stdin = bytes.NewReader(docker.File(docker.Bootstrap))
	sink := &watched{Writer: archive}
	cmd.Stdout, cmd.Stderr = sink, io.MultiWriter(s.log, &said)
	// A group of its own, so that the tools it starts end with it: first by
	// SIGTERM, because mmdebstrap then removes its scratch directory.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = stopGrace
	err := cmd.Run()
	if cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(ctx.Err(), context.Canceled):
		return ctx.Err()
	case ctx.Err() != nil:
		return &EnvironmentError{Problem: fmt.Sprintf("no registry answers, and the Debian base was not made within %s: see whether a Debian mirror is in reach", LimitBootstrap), Late: true}
	case sink.failed:
		return fmt.Errorf("%w: %w", errImport, err)
	}
	return bootstrapError(release, cmd.ProcessState.ExitCode(), said.lastLine())
}

// bootstrapError reads the script's exit status; line is the last that it said.
func bootstrapError(release string, status int, line string) error {
	switch status {
	case docker.BootstrapUnknownRelease:
		return usage(nil, "BASE: %s", line)
	case docker.BootstrapMissingTool:
		return &EnvironmentError{Problem: line}
	}
	return &EnvironmentError{
		Problem: fmt.Sprintf("no registry answers, and making %s from Debian packages failed: see whether a Debian mirror is in reach", release),
		Cause:   errors.New(line),
	}
}

// watched notes that its reader has gone.
type watched struct {
	io.Writer
	failed bool
}

func (w *watched) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	w.failed = w.failed || err != nil
	return n, err
}

// tail keeps the end of what is written to it.
type tail struct{ kept []byte }

const tailSize = 4096

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if extra := len(t.kept) - tailSize; extra > 0 {
		t.kept = t.kept[extra:]
	}
	return len(p), nil
}

func (t *tail) lastLine() string {
	lines := strings.Split(strings.TrimSpace(string(t.kept)), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
