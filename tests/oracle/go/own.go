package main

import (
	"fmt"
	"strings"

	"github.com/pingcap/tidb/pkg/parser/ast"
)

// What TiDB takes a statement for that the proxy may answer itself; "" for any other.
func ownOf(statement ast.StmtNode) string {
	switch s := statement.(type) {
	case *ast.CommitStmt:
		return "end"
	case *ast.RollbackStmt:
		if s.SavepointName == "" {
			return "end"
		}
	case *ast.SetStmt:
		return settingOf(s)
	case *ast.ShowStmt:
		return shownOf(s)
	case *ast.SelectStmt:
		return factOf(s)
	case *ast.KillStmt:
		return killOf(s)
	}
	return ""
}

func settingOf(s *ast.SetStmt) string {
	parts := make([]string, 0, len(s.Variables))
	for _, variable := range s.Variables {
		value, ok := literalOf(variable.Value)
		if !ok || variable.IsGlobal {
			return ""
		}
		collation := ""
		if variable.ExtendValue != nil {
			collation = fmt.Sprint(variable.ExtendValue.GetValue())
		}
		parts = append(parts, strings.ToLower(fmt.Sprintf("%s=%v/%s", variable.Name, value, collation)))
	}
	return "set " + strings.Join(parts, ",")
}

// A word is the name of a column to the parser, and of a value to SET.
func literalOf(node ast.ExprNode) (any, bool) {
	switch expression := node.(type) {
	case ast.ValueExpr:
		return expression.GetValue(), true
	case *ast.ColumnNameExpr:
		return expression.Name.Name.O, expression.Name.Table.O == ""
	}
	return nil, false
}

func shownOf(s *ast.ShowStmt) string {
	if s.Pattern != nil || s.Where != nil {
		return ""
	}
	switch s.Tp {
	case ast.ShowWarnings:
		return fmt.Sprintf("show warnings %t", s.CountWarningsOrErrors)
	case ast.ShowErrors:
		return fmt.Sprintf("show errors %t", s.CountWarningsOrErrors)
	}
	return ""
}

// Its column is named by the text, as TiDB does (buildProjectionFieldNameFromExpressions).
func factOf(s *ast.SelectStmt) string {
	bare := s.From == nil && s.Where == nil && s.GroupBy == nil && s.Having == nil && s.OrderBy == nil && s.Limit == nil &&
		s.With == nil && s.SelectIntoOpt == nil && s.LockInfo == nil && !s.Distinct && len(s.TableHints) == 0
	if !bare || s.Fields == nil || len(s.Fields.Fields) != 1 {
		return ""
	}
	field := s.Fields.Fields[0]
	call, ok := field.Expr.(*ast.FuncCallExpr)
	if !ok || len(call.Args) != 0 || field.AsName.L != "" {
		return ""
	}
	return "select " + call.FnName.L
}

func killOf(s *ast.KillStmt) string {
	if call, ok := s.Expr.(*ast.FuncCallExpr); ok {
		if call.FnName.L == ast.ConnectionID && len(call.Args) == 0 {
			return "kill itself"
		}
		return ""
	}
	return fmt.Sprintf("kill %d %t", s.ConnectionID, s.Query)
}
