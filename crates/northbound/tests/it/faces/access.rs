//! Tenants, principals and roles.

use serde_json::{Value, json};

use super::run::{Step, step};

pub(super) fn steps() -> Vec<Step> {
    let shop = json!({"name": "shop", "kind": "SYSTEM", "grant": [{"role": "care", "group": ["north"]}]});
    let with_password = json!({"principal": shop, "password": "correct horse battery"});
    let renamed = json!({"name": "shop", "displayName": "The shop", "grant": [{"right": "task.read:own"}]});
    let too_much = json!({"name": "other", "grant": [{"role": "reader", "tenant": "*"}]});
    let desk = json!({"name": "desk", "right": ["task.read", "task.cancel"]});
    let wider = json!({"name": "desk", "right": ["task.read", "device.operate:SESSION"]});
    let tenant = json!({"name": "new"});
    let new_password = json!({"password": "another long password"});
    vec![
        step("createTenant", json!({"tenant": tenant})).rest("POST", "/tenants", tenant.clone()),
        step("updateTenant", json!({"tenant": tenant})).rest("PUT", "/tenants/new", tenant),
        step("deleteTenant", json!({"name": "acme"})).rest("DELETE", "/tenants/acme", Value::Null),
        step("getTenantByName", json!({"name": "acme"})).get("/tenants/acme"),
        step("getTenantByName", json!({"name": "other"})).get("/tenants/other"),
        step("getTenants", json!({})).get("/tenants"),
        step("getTenants", json!({})).get("/tenants").by("reader"),
        step("createPrincipal", with_password.clone()).rest("POST", "/principals", with_password.clone()),
        step("createPrincipal", with_password.clone()).rest("POST", "/principals", with_password.clone()).by("care"),
        step("createPrincipal", json!({"principal": too_much})).rest(
            "POST",
            "/principals",
            json!({"principal": too_much}),
        ),
        step("getPrincipalByName", json!({"name": "shop"})).get("/principals/shop"),
        step("getPrincipalByName", json!({"name": "stranger"})).get("/principals/stranger"),
        step("getPrincipalByName", json!({"name": "shop", "tenant": "other"})).get("/principals/shop?tenant=other"),
        step("getPrincipals", json!({})).get("/principals"),
        step("updatePrincipal", json!({"principal": renamed})).rest("PUT", "/principals/shop", renamed),
        step("updatePrincipal", json!({"principal": {"name": "root"}})).rest(
            "PUT",
            "/principals/root",
            json!({"name": "root"}),
        ),
        step("setPassword", json!({"name": "shop", "password": "another long password"})).rest(
            "PUT",
            "/principals/shop/password",
            new_password.clone(),
        ),
        step("setPassword", json!({"name": "root", "password": "short"})).rest(
            "PUT",
            "/principals/root/password",
            json!({"password": "short"}),
        ),
        step("setPassword", json!({"name": "root", "password": "another long password"}))
            .rest("PUT", "/principals/root/password", new_password)
            .by("care"),
        step("createRole", json!({"role": desk})).rest("POST", "/roles", desk),
        step("createRole", json!({"role": {"name": "care", "right": ["*"]}})).rest(
            "POST",
            "/roles",
            json!({"name": "care", "right": ["*"]}),
        ),
        step("updateRole", json!({"role": wider})).rest("PUT", "/roles/desk", wider),
        step("getRoleByName", json!({"name": "desk"})).get("/roles/desk"),
        step("getRoleByName", json!({"name": "peer"})).get("/roles/peer"),
        step("getRoles", json!({})).get("/roles"),
        step("deleteRole", json!({"name": "desk"})).rest("DELETE", "/roles/desk", Value::Null),
        step("deleteRole", json!({"name": "care"})).rest("DELETE", "/roles/care", Value::Null),
        step("getOwnRights", json!({})).get("/own-rights").by("care"),
        step("deletePrincipal", json!({"name": "root"})).rest("DELETE", "/principals/root", Value::Null),
        step("deletePrincipal", json!({"name": "shop"})).rest("DELETE", "/principals/shop", Value::Null),
        step("deletePrincipal", json!({"name": "shop"})).rest("DELETE", "/principals/shop", Value::Null),
    ]
}
