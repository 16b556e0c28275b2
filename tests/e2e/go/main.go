// What a Go application does with go-sql-driver/mysql: text (interpolateParams) and prepared, pooled, with transactions.
// Told by the environment where to connect; prints "ok" or fails.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"os"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
)

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// With DB_TLS_CA over TLS, with DB_TLS_CERTIFICATE and its key as whom that names.
func encryption() *tls.Config {
	file := os.Getenv("DB_TLS_CA")
	if file == "" {
		return nil
	}
	text, err := os.ReadFile(file)
	must(err)
	authorities := x509.NewCertPool()
	authorities.AppendCertsFromPEM(text)
	config := &tls.Config{RootCAs: authorities, ServerName: "localhost"}
	if own := os.Getenv("DB_TLS_CERTIFICATE"); own != "" {
		pair, err := tls.LoadX509KeyPair(own, os.Getenv("DB_TLS_KEY"))
		must(err)
		config.Certificates = []tls.Certificate{pair}
	}
	return config
}

func open(interpolate bool) *sql.DB {
	config := mysql.NewConfig()
	config.Net = "tcp"
	config.Addr = os.Getenv("DB_HOST") + ":" + os.Getenv("DB_PORT")
	config.User = os.Getenv("DB_USER")
	config.Passwd = os.Getenv("DB_PASSWORD")
	config.DBName = os.Getenv("DB_NAME")
	config.InterpolateParams = interpolate
	config.TLS = encryption()
	config.AllowCleartextPasswords = os.Getenv("DB_CLEAR_PASSWORD") != ""
	config.ParseTime = true
	config.MultiStatements = true
	config.Params = map[string]string{"group_concat_max_len": "4242"}
	connector, err := mysql.NewConnector(config)
	must(err)
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(12)
	return db
}

func checkTypes(db *sql.DB) {
	_, err := db.Exec("CREATE TABLE IF NOT EXISTS go_kinds (id INT PRIMARY KEY, t VARCHAR(40), d DATETIME(6), b BLOB, u BIGINT UNSIGNED, n INT)")
	must(err)
	when := time.Date(2026, 2, 28, 12, 30, 15, 250000, time.UTC)
	result, err := db.Exec("REPLACE INTO go_kinds VALUES (?, ?, ?, ?, ?, ?)", 1, "🐠 'x'", when, []byte{0, 39, 92, 255}, uint64(1<<63), nil)
	must(err)
	_, err = result.RowsAffected()
	must(err)
	var text string
	var date time.Time
	var bytes []byte
	var unsigned uint64
	var null sql.NullInt64
	must(db.QueryRow("SELECT t, d, b, u, n FROM go_kinds WHERE id = ?", 1).Scan(&text, &date, &bytes, &unsigned, &null))
	if text != "🐠 'x'" || !date.Equal(when) || string(bytes) != "\x00'\\\xff" || unsigned != 1<<63 || null.Valid {
		log.Fatalf("got %q %v %v %d %v", text, date, bytes, unsigned, null)
	}
}

func count(db *sql.DB, number int) error {
	transaction, err := db.BeginTx(context.Background(), nil)
	if err != nil {
		return err
	}
	defer transaction.Rollback()
	var seen, setting int
	if err := transaction.QueryRow("SELECT ?, @@group_concat_max_len", number).Scan(&seen, &setting); err != nil {
		return err
	}
	if seen != number || setting != 4242 {
		return fmt.Errorf("client %d saw %d, %d", number, seen, setting)
	}
	if _, err := transaction.Exec("UPDATE go_counts SET n = n + 1 WHERE id = ?", 1); err != nil {
		return err
	}
	if number%3 == 0 {
		return transaction.Rollback()
	}
	return transaction.Commit()
}

func checkConcurrency(db *sql.DB) {
	_, err := db.Exec("CREATE TABLE IF NOT EXISTS go_counts (id INT PRIMARY KEY, n INT); REPLACE INTO go_counts VALUES (1, 0)")
	must(err)
	statement, err := db.Prepare("SELECT n FROM go_counts WHERE id = ?")
	must(err)
	defer statement.Close()
	var group sync.WaitGroup
	for number := 0; number < 60; number++ {
		group.Add(1)
		go func() {
			defer group.Done()
			must(count(db, number))
			var ignored int
			must(statement.QueryRow(1).Scan(&ignored))
		}()
	}
	group.Wait()
	var n int
	must(statement.QueryRow(1).Scan(&n))
	if n != 40 {
		log.Fatalf("counted %d, not 40", n)
	}
}

func checkError(db *sql.DB) {
	var failure *mysql.MySQLError
	_, err := db.Query("SELECT * FROM no_such_table WHERE a = ?", 1)
	if !errors.As(err, &failure) || failure.Number != 1146 {
		log.Fatalf("got %v, not error 1146", err)
	}
}

func main() {
	for _, interpolate := range []bool{true, false} {
		db := open(interpolate)
		checkTypes(db)
		checkConcurrency(db)
		checkError(db)
		must(db.Close())
	}
	fmt.Println("ok")
}
