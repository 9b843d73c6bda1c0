// Command clean removes the images that this project made in Docker, and what
// runs that have died left there. It touches nothing without our label, and
// nothing of a run that is alive.
package main

import (
	"context"
	"fmt"
	"os"

	"qmconformance/harness/image"
	"qmconformance/harness/reaper"
)

func main() {
	if err := clean(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func clean(ctx context.Context) error {
	docker, err := image.Connect(ctx)
	if err != nil {
		return err
	}
	defer docker.Close()
	if _, _, err := reaper.Sweep(ctx, docker); err != nil {
		return err
	}
	removed, stay, err := image.NewStore(docker, reaper.Session{}, nil, nil).Clean(ctx)
	fmt.Printf("removed %d images\n", removed)
	for _, s := range stay {
		fmt.Println("stays:", s)
	}
	return err
}
