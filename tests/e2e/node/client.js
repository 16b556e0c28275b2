// What a Node application does with mysql2: query (text) and execute (prepared), a pool, transactions, types.
// Told by the environment where to connect; prints "ok" or fails.
'use strict';
const assert = require('assert');
const mysql = require('mysql2/promise');

const options = {
  host: process.env.DB_HOST,
  port: Number(process.env.DB_PORT),
  user: process.env.DB_USER,
  password: process.env.DB_PASSWORD,
  database: process.env.DB_NAME,
  charset: 'utf8mb4',
  supportBigNumbers: true,
};

async function typesComeBack(connection, method) {
  await connection.query('CREATE TEMPORARY TABLE kinds (id INT PRIMARY KEY, t VARCHAR(40), d DATETIME(3), b BLOB, j JSON)');
  const date = new Date(Date.UTC(2026, 1, 28, 12, 30, 15, 250));
  const bytes = Buffer.from([0, 1, 39, 92, 255]);
  await connection[method]('INSERT INTO kinds VALUES (?, ?, ?, ?, ?)', [1, "🐠 'x'", date, bytes, JSON.stringify({ a: [1, null] })]);
  const [rows] = await connection[method]('SELECT * FROM kinds WHERE id = ?', [1]);
  assert.strictEqual(rows[0].t, "🐠 'x'");
  assert.strictEqual(rows[0].d.getTime(), date.getTime());
  assert.ok(bytes.equals(rows[0].b));
  assert.deepStrictEqual(rows[0].j, { a: [1, null] });
  await connection.query('DROP TEMPORARY TABLE kinds');
}

async function poolOfClients(method) {
  const pool = mysql.createPool({ ...options, connectionLimit: 12 });
  await pool.query('CREATE TABLE IF NOT EXISTS node_counts (id INT PRIMARY KEY, n INT)');
  await pool.query('REPLACE INTO node_counts VALUES (1, 0)');
  await Promise.all(
    Array.from({ length: 60 }, async (_, number) => {
      const connection = await pool.getConnection();
      const [rows] = await connection[method]('SELECT ? AS n', [number]);
      assert.strictEqual(Number(rows[0].n), number);
      await connection.beginTransaction();
      await connection[method]('UPDATE node_counts SET n = n + 1 WHERE id = ?', [1]);
      await (number % 3 === 0 ? connection.rollback() : connection.commit());
      connection.release();
    })
  );
  const [rows] = await pool[method]('SELECT n FROM node_counts WHERE id = ?', [1]);
  assert.strictEqual(rows[0].n, 40);
  await pool.end();
}

async function main() {
  const connection = await mysql.createConnection({ ...options, multipleStatements: true });
  for (const method of ['query', 'execute']) {
    await typesComeBack(connection, method);
    await assert.rejects(connection[method]('SELECT * FROM no_such_table'), { errno: 1146 });
    await poolOfClients(method);
  }
  const [results] = await connection.query('SELECT 1 AS a; SELECT 2 AS b; SET @z = 3; SELECT @z AS c');
  assert.deepStrictEqual([results[0][0].a, results[1][0].b, Number(results[3][0].c)], [1, 2, 3]);
  await connection.changeUser({ database: process.env.DB_NAME });
  const [state] = await connection.query('SELECT DATABASE() AS d, @z AS z');
  assert.deepStrictEqual([state[0].d, state[0].z], [process.env.DB_NAME, null]);
  await connection.end();
  console.log('ok');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
