package visitor

import (
	"errors"
	"io"
	"net/http"
)

// ErrTooLarge is a body of more than may be sent.
var ErrTooLarge = errors.New("the body is too large")

// patience is how much more than it may be is read of a body, and thrown away. Who
// is answered while they still send may see their connection reset and never the
// answer, so they are let finish, within reason and the time that a request has.
const patience = 16 << 20

// Body reads a body of at most limit bytes. Of a larger one, ErrTooLarge, nothing
// is kept. Any other error is of the connection.
func Body(r *http.Request, limit int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(text)) > limit {
		_, _ = io.CopyN(io.Discard, r.Body, patience) // it is refused however it ends
		return nil, ErrTooLarge
	}
	return text, nil
}
