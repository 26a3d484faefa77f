-- When somebody used a copied token of the account, since its password was set.
ALTER TABLE cloakroom_accounts ADD COLUMN alerted INTEGER;
