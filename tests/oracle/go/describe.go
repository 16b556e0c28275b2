package main

import (
	"encoding/base64"
	"sort"
	"strings"

	"github.com/pingcap/tidb/pkg/parser/ast"
)

func describe(statement ast.StmtNode) line {
	class := classOf(statement)
	found := &effects{words: map[string]bool{}}
	if class == "read" || class == "write" || class == "set" || class == "other" {
		statement.Accept(found)
	}
	// Not executed. But planning alone gives an assigned variable another type.
	if explain, ok := statement.(*ast.ExplainStmt); ok && !explain.Analyze && !found.words["assigns"] {
		found = &effects{}
	}
	sets := setsOf(statement)
	for _, name := range found.assigned {
		sets = append(sets, "u:"+encode(strings.ToLower(name)))
	}
	facts := make([]string, 0, len(found.words))
	for word := range found.words {
		facts = append(facts, word)
	}
	sort.Strings(facts)
	return line{
		Class: class,
		Own:   ownOf(statement),
		Read:  class == "read" && !found.acts && !isLocking(statement),
		Facts: strings.Join(facts, ","),
		Sets:  strings.Join(sets, ","),
	}
}

func encode(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func classOf(statement ast.StmtNode) string {
	switch s := statement.(type) {
	case *ast.SelectStmt, *ast.SetOprStmt, *ast.ShowStmt, *ast.ExplainForStmt, *ast.HelpStmt, *ast.DoStmt:
		return "read"
	case *ast.ExplainStmt:
		if s.Analyze {
			return classOf(s.Stmt)
		}
		return "read"
	case *ast.TraceStmt:
		if classOf(s.Stmt) == "write" {
			return "write"
		}
		return "other"
	case *ast.InsertStmt, *ast.UpdateStmt, *ast.DeleteStmt, *ast.LoadDataStmt, *ast.ImportIntoStmt, *ast.NonTransactionalDMLStmt:
		return "write"
	case *ast.BeginStmt:
		return "begin"
	case *ast.CommitStmt:
		return "end"
	case *ast.RollbackStmt:
		if s.SavepointName != "" {
			return "other"
		}
		return "end"
	case *ast.SetStmt, *ast.SetPwdStmt, *ast.SetRoleStmt, *ast.SetDefaultRoleStmt, *ast.SetResourceGroupStmt,
		*ast.SetConfigStmt, *ast.SetSessionStatesStmt:
		return "set"
	case *ast.UseStmt:
		return "use"
	case *ast.PrepareStmt, *ast.ExecuteStmt, *ast.DeallocateStmt:
		return "prepared"
	case *ast.CallStmt, *ast.ProcedureInfo:
		return "procedure"
	case *ast.OptimizeTableStmt, *ast.LockTablesStmt, *ast.UnlockTablesStmt, *ast.CleanupTableLockStmt,
		*ast.RepairTableStmt, *ast.CompactTableStmt, *ast.DropQueryWatchStmt:
		return "other"
	case *ast.CreateUserStmt, *ast.AlterUserStmt, *ast.DropUserStmt, *ast.RenameUserStmt, *ast.GrantStmt,
		*ast.GrantRoleStmt, *ast.GrantProxyStmt, *ast.RevokeStmt, *ast.RevokeRoleStmt, *ast.CreateStatisticsStmt,
		*ast.DropStatisticsStmt, *ast.AlterInstanceStmt, *ast.AlterRangeStmt, *ast.FlashBackToTimestampStmt,
		*ast.FlashBackTableStmt, *ast.RecoverTableStmt, *ast.DropStatsStmt, *ast.DropProcedureStmt:
		return "ddl"
	}
	if _, ok := statement.(ast.DDLNode); ok {
		return "ddl"
	}
	return "other"
}

// Rows locked, or a file written on the server.
func isLocking(statement ast.StmtNode) bool {
	switch s := statement.(type) {
	case *ast.ExplainStmt:
		return s.Analyze && isLocking(s.Stmt)
	case *ast.SelectStmt:
		return s.SelectIntoOpt != nil || (s.LockInfo != nil && s.LockInfo.LockType != ast.SelectLockNone)
	}
	return false
}

// What is set, in order.
func setsOf(statement ast.StmtNode) []string {
	switch s := statement.(type) {
	case *ast.SetStmt:
		var sets []string
		for _, variable := range s.Variables {
			sets = append(sets, assignment(variable))
		}
		return sets
	case *ast.TraceStmt:
		return setsOf(s.Stmt)
	case *ast.LoadDataStmt:
		return targets(s.ColumnsAndUserVars)
	case *ast.ImportIntoStmt:
		return targets(s.ColumnsAndUserVars)
	case *ast.UseStmt:
		return []string{"d:" + encode(s.DBName)}
	case *ast.PrepareStmt:
		if s.SQLVar != nil {
			return []string{"p:" + encode(s.Name+"=@"+strings.ToLower(s.SQLVar.Name))}
		}
		return []string{"p:" + encode(s.Name+"="+s.SQLText)}
	case *ast.ExecuteStmt:
		return []string{"x:" + encode(s.Name)}
	case *ast.DeallocateStmt:
		return []string{"f:" + encode(s.Name)}
	}
	return nil
}

// User variables that take a field of the file.
func targets(list []*ast.ColumnNameOrUserVar) []string {
	var sets []string
	for _, target := range list {
		if target.UserVar != nil {
			sets = append(sets, "u:"+encode(strings.ToLower(target.UserVar.Name)))
		}
	}
	return sets
}

func assignment(variable *ast.VariableAssignment) string {
	name := strings.ToLower(variable.Name)
	switch {
	case variable.Name == ast.SetNames:
		return "names:"
	case variable.Name == ast.SetCharset:
		return "charset:"
	case !variable.IsSystem:
		return "u:" + encode(name)
	case variable.IsGlobal:
		return "g:" + encode(name)
	}
	return "s:" + encode(name)
}

// Visits every expression of a statement.
type effects struct {
	words    map[string]bool
	acts     bool
	assigned []string
}

func (e *effects) Enter(node ast.Node) (ast.Node, bool) {
	switch n := node.(type) {
	case *ast.SelectStmt:
		if n.SelectIntoOpt != nil || (n.LockInfo != nil && n.LockInfo.LockType != ast.SelectLockNone) {
			e.acts = true
		}
	case *ast.VariableExpr:
		e.variable(n)
	case *ast.FuncCallExpr:
		e.call(n)
	}
	return node, false
}

func (e *effects) Leave(node ast.Node) (ast.Node, bool) { return node, true }

func (e *effects) variable(v *ast.VariableExpr) {
	if v.IsSystem {
		return
	}
	if v.Value != nil {
		e.acts = true
		e.words["assigns"] = true
		e.assigned = append(e.assigned, v.Name)
		return
	}
	e.words["user_variable"] = true
}

func (e *effects) call(f *ast.FuncCallExpr) {
	switch name := f.FnName.L; name {
	case ast.LastInsertId:
		if len(f.Args) == 0 {
			e.words[name] = true
		} else {
			e.acts = true
			e.words["sets_insert_id"] = true
		}
	case ast.RowCount, ast.FoundRows, ast.ConnectionID, ast.LastVal:
		e.words[name] = true
	case ast.NextVal, ast.SetVal, ast.GetLock:
		e.acts = true
		e.words[name] = true
	case ast.ReleaseLock, ast.ReleaseAllLocks, ast.IsFreeLock, ast.IsUsedLock:
		e.acts = true
	}
}
