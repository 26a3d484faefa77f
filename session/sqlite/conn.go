package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"

	modernc "modernc.org/sqlite"
)

// errLent is what a caller's function gets when it ends its transaction: that
// is the store's to do.
var errLent = errors.New("sqlite: the store ends this transaction, once the function has returned")

// rawConn is what the writer needs of the driver's connection.
type rawConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	RegisterCommitHook(modernc.CommitHookFn)
	RegisterRollbackHook(modernc.RollbackHookFn)
}

// conn is the writer's one connection. The writer begins and ends transactions
// by statements of its own. A sql.Tx made from conn is a loan: it lets a
// caller's function work inside the transaction that the writer has begun, and
// neither its Commit nor its Rollback touches the database.
//
// Calls do not overlap, as database/sql promises, so nothing here is locked.
type conn struct {
	rawConn
	loan       *loan // under way, or nil
	latest     *loan // the one begun last, also when it is over
	committing bool  // the writer is ending its transaction
	lost       bool  // the transaction begun last was rolled back, by whomever
}

// guard makes sure that only the writer commits. A COMMIT sent as text inside a
// loan becomes a rollback, and so does whatever runs after that outside of any
// transaction.
func (c *conn) guard() {
	c.RegisterCommitHook(func() int32 {
		if c.committing {
			return 0
		}
		c.lost = true
		return 1
	})
	c.RegisterRollbackHook(func() { c.lost = true })
}

// BeginTx lends the connection.
func (c *conn) BeginTx(ctx context.Context, _ driver.TxOptions) (driver.Tx, error) {
	c.latest = &loan{conn: c, ctx: ctx, over: make(chan struct{})}
	c.loan = c.latest
	return c.latest, nil
}

// ResetSession and IsValid tell database/sql to keep the connection when the
// context of a loan ends: the writer decides what becomes of it.
func (c *conn) ResetSession(context.Context) error { return nil }
func (c *conn) IsValid() bool                      { return true }

func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	ctx, stop := c.within(ctx)
	defer stop()
	return c.rawConn.ExecContext(ctx, query, args)
}

func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	ctx, stop := c.within(ctx)
	defer stop()
	return c.rawConn.QueryContext(ctx, query, args)
}

func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	raw, err := c.rawConn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return &stmt{rawStmt: raw.(rawStmt), conn: c}, nil
}

// within gives a statement of a loan the loan's context beside its own, so that
// one run without any (tx.Exec) is interrupted, too, when the loan is over.
func (c *conn) within(ctx context.Context) (context.Context, func()) {
	if c.loan == nil {
		return ctx, func() {}
	}
	both, cancel := context.WithCancel(c.loan.ctx)
	stop := context.AfterFunc(ctx, cancel)
	return both, func() { stop(); cancel() }
}

type rawStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// stmt is a prepared statement of conn.
type stmt struct {
	rawStmt
	conn *conn
}

func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	ctx, stop := s.conn.within(ctx)
	defer stop()
	return s.rawStmt.ExecContext(ctx, args)
}

func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	ctx, stop := s.conn.within(ctx)
	defer stop()
	return s.rawStmt.QueryContext(ctx, args)
}

// loan is the driver's side of a sql.Tx. database/sql ends it exactly once,
// after the last statement and the last rows of it: when the function says so,
// when the context ends, or when the writer does.
type loan struct {
	conn *conn
	ctx  context.Context
	over chan struct{} // closed when nothing uses the connection any more
}

func (l *loan) Commit() error   { return l.end() }
func (l *loan) Rollback() error { return l.end() }

func (l *loan) end() error {
	l.conn.loan = nil
	close(l.over)
	return errLent
}

// ended reports whether the loan was ended already.
func (l *loan) ended() bool {
	select {
	case <-l.over:
		return true
	default:
		return false
	}
}

// single hands out the one connection that was opened beforehand, once. If
// database/sql gives it up, there is no other: the store has to reopen.
type single struct {
	conn  chan driver.Conn
	under driver.Driver
}

func (s single) Connect(context.Context) (driver.Conn, error) {
	select {
	case c := <-s.conn:
		return c, nil
	default:
		return nil, driver.ErrBadConn
	}
}

func (s single) Driver() driver.Driver { return s.under }
