# user/user.mk
