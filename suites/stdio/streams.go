package stdio

import (
	"fmt"
	"strings"

	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/verdict"
)

var _ = judge.Section(area, "bytes on their way", func() {
	streams := func(id string, expected string, which func(observe.Streamed) []observe.Passage) {
		judge.On(id, observe.Streams, func(_ judge.Case, f observe.Streamed) verdict.Finding {
			if f.Mute != "" {
				return verdict.Unmet("the program in qm's place did not speak: %s", f.Mute)
			}
			return allPass(expected, which(f))
		})
	}
	streams("STDIO-05", "number and sum of what was sent", func(f observe.Streamed) []observe.Passage { return f.In })
	streams("STDIO-06", "every byte that was written, then a FIN", func(f observe.Streamed) []observe.Passage { return f.Out })
	streams("STDIO-07", "every byte comes back while more is being sent", func(f observe.Streamed) []observe.Passage { return f.Both })
	streams("STDIO-08", "the answer, after our FIN", func(f observe.Streamed) []observe.Passage { return f.HalfWay })
	streams("STDIO-09", "the urgent byte apart from the stream, the bytes beside it in it", func(f observe.Streamed) []observe.Passage { return f.Urgent })
	judge.On("STDIO-10", observe.RoundTrip, recordsComeBack)
})

func allPass(expected string, list []observe.Passage) verdict.Finding {
	var wrong []string
	var bytes int64
	for _, p := range list {
		bytes += p.Size
		if !p.OK {
			wrong = append(wrong, fmt.Sprintf("%s, %d bytes: %s", p.Name, p.Size, p.Wrong))
		}
	}
	if len(list) == 0 {
		return verdict.Broken("nothing was sent")
	}
	return verdict.That(len(wrong) == 0, expected, first(wrong, fmt.Sprintf("%d bytes in %d streams", bytes, len(list))), "")
}

// first is the first of a list with a count of the others, or what is said of an
// empty one.
func first(list []string, empty string) string {
	switch len(list) {
	case 0:
		return empty
	case 1:
		return list[0]
	}
	return fmt.Sprintf("%s; and %d more", list[0], len(list)-1)
}

func recordsComeBack(_ judge.Case, f observe.RoundTripped) verdict.Finding {
	const expected = "every record as it was written"
	if !f.LoggedIn {
		return verdict.Unmet("no session: %s", f.Said)
	}
	var wrong []string
	for _, r := range f.Records {
		if !r.Same {
			wrong = append(wrong, fmt.Sprintf("record %s, %d bytes: %s", r.Name, r.Size, r.Where))
		}
	}
	if len(f.Records) == 0 {
		return verdict.Violated(expected, "nothing came back: "+f.Said, strings.TrimSpace(f.Created))
	}
	return verdict.That(len(wrong) == 0, expected, first(wrong, fmt.Sprintf("%d records are the same", len(f.Records))), "")
}
