package image

import (
	"context"

	"qmconformance/docker"
)

// WithSystemd returns on with systemd and a syslog daemon installed from Debian's
// packages. It needs a base with apt-get, and a mirror that answers.
func (s *Store) WithSystemd(ctx context.Context, on Image) (Image, error) {
	dockerfile := docker.File(docker.Systemd)
	hash := hashOf(KindSystemd, on.ID, string(dockerfile))
	return s.cached(ctx, recipe{
		kind: KindSystemd, ref: refOf(KindSystemd, "", hash, 12), hash: hash, base: on.ID,
		dockerfile: dockerfile,
	})
}
