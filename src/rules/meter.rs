//! The steps an expression may take: counted inside it, so that none runs or grows without end.
//!
//! The language has no loop without an end, but loops within loops, and lists that double at each of
//! many steps. So every part of an expression that is given to a function, an operator or a loop is
//! paid for, by its size, before it is used. What pays is a function of ours that each such part is
//! wrapped into; no text can name it.

use std::cell::Cell;

use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, operators};
use cel::common::types::{CelBytes, CelList, CelMap, CelString, DYN_TYPE};
use cel::common::value::{CowVal, Val};
use cel::{Env, ExecutionError};

/// What pays; a name that cannot be written.
const PAID: &str = "@paid";

/// How many bytes of a text are one step.
const BYTES_PER_STEP: usize = 16;

thread_local! {
    /// The steps that are left; nothing once they are used up.
    static LEFT: Cell<Option<u64>> = const { Cell::new(Some(0)) };
}

/// Begins to count, for the expression that is evaluated next on this thread.
pub(super) fn begin(steps: u64) {
    LEFT.set(Some(steps));
}

/// Whether more was asked for than there were steps.
pub(super) fn is_used_up() -> bool {
    LEFT.get().is_none()
}

/// Makes what pays known to the language.
pub(super) fn install(env: &mut Env) {
    let installed = env.add_overload(PAID, "paid_dyn", vec![DYN_TYPE], pay);
    debug_assert!(installed.is_ok(), "the name is ours alone");
}

fn pay<'b, 'v>(mut values: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let value = values.pop().ok_or_else(ExecutionError::missing_argument_or_target)?;
    if spend(value.as_ref()) {
        Ok(value)
    } else {
        Err(ExecutionError::function_error(PAID, "no step is left"))
    }
}

/// Pays for a value and all that is in it; no when that is more than there is.
fn spend(value: &dyn Val) -> bool {
    let bytes = value.downcast_ref::<CelString<'_>>().map(|text| text.inner().len());
    let bytes = bytes.or_else(|| Some(value.downcast_ref::<CelBytes<'_>>()?.inner().len()));
    let steps = 1 + bytes.unwrap_or(0) / BYTES_PER_STEP;
    let left = LEFT.get().and_then(|left| left.checked_sub(steps as u64));
    LEFT.set(left);
    if left.is_none() {
        return false;
    }
    if let Some(list) = value.downcast_ref::<CelList<'_>>() {
        return list.inner().iter().all(|item| spend(item.as_ref()));
    }
    match value.downcast_ref::<CelMap<'_>>() {
        Some(map) => map.inner().iter().all(|(key, it)| spend(key.inner()) && spend(it.as_ref())),
        None => true,
    }
}

/// Wraps what is paid for within an expression.
pub(super) fn metered(expression: IdedExpr) -> IdedExpr {
    let IdedExpr { id, expr } = expression;
    let expr = match expr {
        Expr::Call(call) => Expr::Call(metered_call(call)),
        Expr::Comprehension(loops) => {
            let ComprehensionExpr {
                iter_range,
                iter_var,
                iter_var2,
                accu_var,
                accu_init,
                loop_cond,
                loop_step,
                result,
            } = *loops;
            Expr::Comprehension(Box::new(ComprehensionExpr {
                iter_range: paid(iter_range),
                iter_var,
                iter_var2,
                accu_var,
                accu_init: metered(accu_init),
                loop_cond: metered(loop_cond),
                loop_step: metered(loop_step),
                result: metered(result),
            }))
        }
        Expr::List(mut list) => {
            list.elements = list.elements.into_iter().map(paid).collect();
            Expr::List(list)
        }
        Expr::Map(mut map) => {
            for entry in &mut map.entries {
                if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                    entry.key = paid(std::mem::take(&mut entry.key));
                    entry.value = paid(std::mem::take(&mut entry.value));
                }
            }
            Expr::Map(map)
        }
        Expr::Select(mut select) => {
            *select.operand = metered(std::mem::take(&mut *select.operand));
            Expr::Select(select)
        }
        plain @ (Expr::Ident(_) | Expr::Literal(_) | Expr::Struct(_) | Expr::Unspecified) => plain,
    };
    IdedExpr { id, expr }
}

/// Pays for what a call is given. The branches of a condition are only passed on, the result of a
/// loop so far is paid for as it grows, and a list by its elements.
fn metered_call(call: CallExpr) -> CallExpr {
    let CallExpr { func_name, target, args } = call;
    let is_condition = func_name == operators::CONDITIONAL;
    let args = args.into_iter().enumerate().map(|(index, argument)| {
        let is_passed_on = match &argument.expr {
            Expr::Ident(name) => name.starts_with('@'),
            Expr::List(_) => true,
            _ => is_condition && index > 0,
        };
        if is_passed_on { metered(argument) } else { paid(argument) }
    });
    let args = args.collect();
    CallExpr { func_name, target: target.map(|target| Box::new(paid(*target))), args }
}

fn paid(expression: IdedExpr) -> IdedExpr {
    let id = expression.id;
    let args = vec![metered(expression)];
    let call = CallExpr { func_name: PAID.to_owned(), target: None, args };
    IdedExpr { id, expr: Expr::Call(call) }
}
