package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// scanner is a *sql.Row, or *sql.Rows at one of its rows.
type scanner interface {
	Scan(dest ...any) error
}

// prepared runs queries as prepared statements, each prepared at its first use.
// Queries are constants: none is made from data.
type prepared struct {
	prepare func(context.Context, string) (*sql.Stmt, error)

	mu         sync.RWMutex
	statements map[string]*sql.Stmt // guarded by mu
}

func newPrepared(prepare func(context.Context, string) (*sql.Stmt, error)) *prepared {
	return &prepared{prepare: prepare, statements: make(map[string]*sql.Stmt)}
}

func (p *prepared) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	p.mu.RLock()
	s := p.statements[query]
	p.mu.RUnlock()
	if s != nil {
		return s, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.statements[query]; s != nil {
		return s, nil
	}
	s, err := p.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	p.statements[query] = s
	return s, nil
}

func (p *prepared) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := p.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args...)
}

func (p *prepared) row(ctx context.Context, query string, args ...any) scanner {
	s, err := p.statement(ctx, query)
	if err != nil {
		return noRow{err}
	}
	return s.QueryRowContext(ctx, args...)
}

func (p *prepared) rows(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := p.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

// close closes the statements. It waits for those that are being prepared.
func (p *prepared) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for query, s := range p.statements {
		errs = append(errs, s.Close())
		delete(p.statements, query)
	}
	return errors.Join(errs...)
}

type noRow struct{ err error }

func (r noRow) Scan(...any) error { return r.err }

// fixed scans a blob that must be exactly as long as it is.
type fixed []byte

func (f fixed) Scan(value any) error {
	b, ok := value.([]byte)
	if !ok || len(b) != len(f) {
		return fmt.Errorf("stored value is no blob of %d bytes", len(f))
	}
	copy(f, b)
	return nil
}
