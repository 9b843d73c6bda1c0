package docker_test

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"qmconformance/docker"
)

var dockerfiles = []string{docker.Target, docker.Tree, docker.Systemd, docker.RegistryBase}

// Each of these needs a builder that not every engine has, or a registry.
func TestDockerfilesSuitTheClassicBuilder(t *testing.T) {
	for _, name := range dockerfiles {
		text := string(docker.File(name))
		for _, modern := range []string{`(?m)^#\s*syntax\s*=`, `(?m)^[A-Z ].*(--mount|--chmod|--chown|--link|--from|<<)`} {
			if regexp.MustCompile(modern).MatchString(text) {
				t.Errorf("%s uses %s", name, modern)
			}
		}
		var words []string
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				words = append(words, line)
			}
		}
		if words[0] != "ARG BASE" || words[1] != "FROM ${BASE}" {
			t.Errorf("%s must start with ARG BASE and FROM ${BASE}, not %q", name, words[:2])
		}
	}
}

func TestTargetRunsTheAgentAndNoHealthCheck(t *testing.T) {
	g := NewWithT(t)
	text := string(docker.File(docker.Target))
	g.Expect(text).To(ContainSubstring(`ENTRYPOINT ["/.conformance/agent"]`))
	g.Expect(text).To(ContainSubstring("HEALTHCHECK NONE"))
}

func bootstrap(t *testing.T, env []string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/bin/sh", append([]string{"-s", "--"}, args...)...)
	cmd.Stdin = strings.NewReader(string(docker.File(docker.Bootstrap)))
	cmd.Env = env
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run()
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

func TestBootstrapRefusesUnknownReleases(t *testing.T) {
	for _, args := range [][]string{nil, {"woody"}, {"bookworm/../x"}} {
		g := NewWithT(t)
		stdout, stderr, status := bootstrap(t, nil, args...)
		g.Expect(status).To(Equal(docker.BootstrapUnknownRelease))
		g.Expect(stdout).To(BeEmpty())
		g.Expect(lastLine(stderr)).To(ContainSubstring("bookworm and trixie are known"))
	}
}

// With nothing on the PATH no tool is found, and even root cannot install one.
func TestBootstrapSaysWhatToInstall(t *testing.T) {
	g := NewWithT(t)
	stdout, stderr, status := bootstrap(t, []string{"PATH=" + t.TempDir()}, "bookworm")
	g.Expect(status).To(Equal(docker.BootstrapMissingTool))
	g.Expect(stdout).To(BeEmpty())
	g.Expect(lastLine(stderr)).To(ContainSubstring("apt-get install mmdebstrap"))
}
